"""Tests of what the settings make of an application."""

from collections.abc import Iterator

import pytest

from runtime.errors import UsageError
from runtime.server.listening import Listener, listen
from runtime.server.safety.options import Safety
from runtime.settings.values import Settings
from tests.runtime.server.safety.asgi import ask, echo

OWN = {"host": "127.0.0.1", "content_length": "1"}


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A socket on loopback."""
    with listen("127.0.0.1", 0) as listener:
        yield listener


def test_by_default_everything_of_this_machine_is_let_pass(listener: Listener) -> None:
    """No key, no certificate, no foreign page."""
    safety = Safety.of(Settings(), listener)
    assert (safety.tls, safety.keys, safety.is_exposed) == (None, None, False)
    answer = ask(safety.around(echo), "POST", "/v1/models", b"x", **OWN)
    assert (answer.status, answer.body) == (200, b"x")
    assert answer.headers["x-request-id"]


def test_the_checks_come_in_order(listener: Listener) -> None:
    """A foreign name is told before a foreign page, that before a key, that before the body."""
    settings = Settings(api_key="right", cors_origins="https://a.example", max_body=1)
    app = Safety.of(settings, listener).around(echo)
    wrong = {"host": "evil", "origin": "https://b.example", "content_length": "2000000"}
    messages = []
    for fix in ({}, {"host": "localhost"}, {"origin": "https://a.example"}, {"x_api_key": "right"}):
        wrong |= fix
        answer = ask(app, "POST", **wrong)
        messages.append((answer.status, answer.headers.get("access-control-allow-origin")))
    allowed = "https://a.example"
    assert messages == [(403, None), (403, None), (401, allowed), (413, allowed)]
    wrong["content_length"] = "1"
    assert ask(app, "POST", **wrong).status == 200


def test_the_end_is_told_before_a_key_is_asked_for(listener: Listener) -> None:
    """A probe has none."""
    safety = Safety.of(Settings(api_key="right"), listener)
    safety.drain.begin()
    assert ask(safety.around(echo), "GET", "/health", **OWN).status == 503


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(max_body=0), "--max-body must be at least 1"),
        (Settings(max_connections=0), "--max-connections must be at least 1"),
        (Settings(drain_timeout=-1), "--drain-timeout must not be below 0"),
        (Settings(ssl_cert_file="a.pem"), "TLS needs both"),
        (Settings(api_key=","), "--api-key names no key"),
    ],
)
def test_unusable_settings_are_told(listener: Listener, settings: Settings, message: str) -> None:
    """Before anything is served."""
    with pytest.raises(UsageError, match=message):
        Safety.of(settings, listener)


@pytest.mark.parametrize(("key", "is_exposed"), [("", True), ("right", False)])
def test_other_machines_without_a_key_are_an_exposure(key: str, is_exposed: bool) -> None:
    """Which the start warns of."""
    with listen("0.0.0.0", 0) as listener:
        settings = Settings(host="0.0.0.0", api_key=key)
        assert Safety.of(settings, listener).is_exposed is is_exposed
