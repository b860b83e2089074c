"""A real browser that opens the chat page of a real solofile and watches all that it does."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.chat import Chat

BROWSER_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A busy machine may take longer than playwright's 5 s to show what it was asked for.
expect.set_options(timeout=20_000)


class Served(Protocol):
    """A running solofile, as the fixture of the whole suite gives it."""

    @property
    def url(self) -> str:
        """The address of its page, without a slash at the end."""


@dataclass(slots=True)
class Watch:
    """What the browser asked for and complained about during one test.

    A test that provokes a complaint names a part of it in `expected`; it must then come.
    """

    origin: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def check(self) -> None:
        foreign = [url for url in self.requests if not url.startswith((self.origin, "data:"))]
        assert not foreign, f"the page asked for something from elsewhere: {foreign}"
        surprises = [
            text for text in self.complaints if not any(part in text for part in self.expected)
        ]
        assert not surprises, f"the browser complained: {surprises}"
        for part in self.expected:
            assert any(part in text for text in self.complaints), f"no complaint about {part!r}"


OpenChat = Callable[..., Chat]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; without one the tests are skipped, but in CI they fail."""
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # Package scope: the loop that playwright keeps running must not outlive these tests, or
    # later tests could not start one of their own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def watch(served: Served) -> Watch:
    """The record of this test's requests and complaints."""
    return Watch(origin=f"{served.url}/")


@pytest.fixture
def open_chat(browser: Browser, watch: Watch) -> Iterator[OpenChat]:
    """Opens the page in a browser profile of its own, with playwright's context options."""
    contexts = []

    def open_chat(
        *,
        is_ready: bool = True,
        prepare: Callable[[BrowserContext], None] = lambda context: None,
        **options: Any,
    ) -> Chat:
        context = browser.new_context(**options)
        contexts.append(context)
        prepare(context)
        context.on("request", lambda request: watch.requests.append(request.url))
        context.on("console", lambda message: watch.hear(message))
        context.on("weberror", lambda error: watch.complaints.append(str(error.error)))
        chat = Chat(context.new_page(), watch.origin)
        chat.open()
        if is_ready:
            chat.wait_until_ready()
        return chat

    yield open_chat
    for context in contexts:
        context.close()
    watch.check()


@pytest.fixture
def chat(open_chat: OpenChat) -> Chat:
    """The page, loaded and ready to talk, with short answers that are the same every time."""
    chat = open_chat(viewport={"width": 1000, "height": 720})
    chat.configure(temperature="0", max_tokens="48")
    return chat


@pytest.fixture(scope="package")
def tab(browser: Browser, served: Served) -> Iterator[Page]:
    """One tab with the page for all tests that only run its modules."""
    page = browser.new_page()
    page.goto(served.url)
    yield page
    page.close()


@pytest.fixture
def page(chat: Chat) -> Page:
    """The browser's tab with the page."""
    return chat.page
