"""The chat page of a solofile that wants a key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenChat, Watch
from tests.solofile import ServedSolofile

KEY = "a-key-for-the-page"


@pytest.fixture(scope="module")
def served(solofile: Path) -> Iterator[ServedSolofile]:
    """The demo's solofile, with a key."""
    with ServedSolofile(solofile, "--port", "0", "--api-key", KEY) as running:
        yield running


def test_the_page_asks_for_the_key_and_keeps_it(open_chat: OpenChat, watch: Watch) -> None:
    """The field appears once a key is needed; with it the answer comes, after a reload, too."""
    watch.expected.append("401")
    chat = open_chat()
    key = chat.page.get_by_label("Access key")
    chat.page.get_by_role("button", name="Settings").click()
    expect(key).to_be_hidden()
    chat.page.get_by_label("Longest answer").fill("8")
    chat.page.get_by_role("button", name="Done").click()
    chat.message.fill("Hello.")
    chat.message.press("Enter")
    expect(chat.problem).to_contain_text("asks for an access key")
    chat.page.get_by_role("button", name="Settings").click()
    key.fill(KEY)
    chat.page.get_by_role("button", name="Done").click()
    chat.again.click()
    expect(chat.answers.last).not_to_be_empty()
    chat.open()
    chat.wait_until_ready()
    assert chat.ask("Once more.")
