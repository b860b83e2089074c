"""The chat page of a solofile that was double-clicked: it keeps it running, and it ends it."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.conftest import OpenChat, Watch
from tests.desktop import Desktop

IDLE_S = 2


@dataclass(frozen=True, slots=True)
class DoubleClicked:
    """A process and the address of the page that it opened."""

    process: subprocess.Popen[bytes]
    url: str


@pytest.fixture
def served(solofile: Path, tmp_path: Path) -> Iterator[DoubleClicked]:
    """The demo's solofile, double-clicked, which ends soon after its last page."""
    with Desktop(tmp_path) as desktop:
        process = desktop.double_click(solofile, SOLOFILE_IDLE_EXIT=str(IDLE_S))
        yield DoubleClicked(process, desktop.wait_for_page())


def test_quit_ends_the_solofile(served: DoubleClicked, open_chat: OpenChat, watch: Watch) -> None:
    """The page says that it is over, and the process has gone."""
    watch.expected.append("ERR_CONNECTION_REFUSED")
    chat = open_chat()
    chat.page.get_by_role("button", name="More").click()
    chat.quit.click()
    expect(chat.page.get_by_role("dialog")).to_contain_text("has ended")
    assert served.process.wait(10) == 0
    expect(chat.status).to_contain_text("does not answer", timeout=15_000)


def test_open_pages_keep_it_running(served: DoubleClicked, open_chat: OpenChat) -> None:
    """It runs while one of two pages is open, and ends once both are closed."""
    first, second = open_chat(), open_chat()
    first.page.close()
    time.sleep(2 * IDLE_S)
    assert served.process.poll() is None
    second.page.close()
    assert served.process.wait(IDLE_S + 10) == 0


def test_what_the_server_knows_of_loading_is_shown(open_chat: OpenChat, watch: Watch) -> None:
    """How much is loaded, and then why it failed."""
    answers = [
        (503, {"error": {"message": "Loading model", "progress": 0.429}}),
        (500, {"error": {"message": "/models/a is no GGUF."}}),
    ]

    def answer(route: Route) -> None:
        status, body = answers[0]
        route.fulfill(status=status, json=body)

    def prepare(context: BrowserContext) -> None:
        context.route("**/health", answer)

    watch.expected += ["503", "500"]
    chat = open_chat(is_ready=False, prepare=prepare)
    expect(chat.status).to_have_text("Loading the model · 42 %")
    del answers[0]
    expect(chat.status).to_have_text("/models/a is no GGUF.")
    expect(chat.send).to_be_disabled()
