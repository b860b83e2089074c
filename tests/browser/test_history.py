"""Chats that the solofile keeps in a file, for every browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat, Watch
from tests.solofile import ServedSolofile

KEY = "a-key-for-the-history"


@pytest.fixture(scope="module")
def served(solofile: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedSolofile]:
    """The demo's solofile, with a history and a key."""
    file = tmp_path_factory.mktemp("history") / "chats.db"
    with ServedSolofile(
        solofile, "--port", "0", "--api-key", KEY, "--history", str(file)
    ) as running:
        yield running


def _open(open_chat: OpenChat) -> Chat:
    """Open the page in a new browser, and give it the key it asks for."""
    chat = open_chat(viewport={"width": 1000, "height": 720})
    expect(chat.toast).to_contain_text("asks for an access key")
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Access key").fill(KEY)
    chat.page.get_by_label("Longest answer").fill("4")
    chat.page.get_by_role("button", name="Done").click()
    return chat


def test_another_browser_finds_the_chats(open_chat: OpenChat, watch: Watch) -> None:
    """With the key; there they are read, found, renamed, gone on with and deleted."""
    watch.expected.append("401")
    first = _open(open_chat)
    first.ask("Name a fish.\nOne that swims.")
    first.new_chat.click()
    first.ask("Name a colour.")
    other = _open(open_chat)
    expect(other.chats).to_have_text(["Name a colour.", "Name a fish."])
    other.search.fill("SWIMS")
    expect(other.chats).to_have_text(["Name a fish."])
    other.chats.first.click()
    expect(other.questions).to_have_text(["Name a fish.\nOne that swims."])
    expect(other.answers.last).not_to_be_empty()
    other.ask("Another one.")
    other.search.fill("")
    other.choose("Delete", "Name a colour.")
    first.page.reload()
    expect(first.chats).to_have_text(["Name a fish."])
    first.chats.first.click()
    expect(first.questions).to_have_count(2)
    kept = first.page.evaluate("() => indexedDB.databases()")
    assert kept == []
