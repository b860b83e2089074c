"""Tests of the page that says why a start failed."""

import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from runtime.desktop import failure_page as module
from runtime.desktop.failure_page import failure_page, show_failure
from runtime.errors import UsageError


def test_the_page_is_there_until_a_browser_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is served once somebody asks, may load nothing, and what is said is text on it."""
    opened: list[str] = []
    monkeypatch.setattr(module, "open_page_beside", opened.append)
    error = UsageError("There is no <b>file</b>.", hint="Name another.")
    showing = threading.Thread(target=show_failure, args=(error,))
    showing.start()
    while not opened:
        showing.join(0.01)
    connection = HTTPConnection(urlsplit(opened[0]).netloc, timeout=10)
    connection.request("GET", "/favicon.ico")
    icon = connection.getresponse()
    icon.read()
    assert icon.status == 404
    assert showing.is_alive()
    connection.request("GET", "/")
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    assert answer.getheader("Content-Security-Policy", "").startswith("default-src 'none'")
    assert "There is no &lt;b&gt;file&lt;/b&gt;." in page
    showing.join(10)
    assert not showing.is_alive()


def test_nobody_is_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no browser comes, the start ends all the same."""
    monkeypatch.setattr(module, "open_page_beside", lambda _: None)
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    show_failure(UsageError("It failed."))


def test_without_a_hint_there_is_none() -> None:
    """The paragraph for it is left out."""
    with_hint = failure_page(UsageError("It failed.", hint="Try again."))
    assert failure_page(UsageError("It failed.")).count("<p") == with_hint.count("<p") - 1
