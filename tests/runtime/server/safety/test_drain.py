"""Tests of the time between a wish to end and the end."""

from runtime.server.safety.drain import Drain
from runtime.server.safety.refusal import Guard
from tests.runtime.server.safety.asgi import ask, echo


def test_before_it_begins_nothing_is_refused() -> None:
    """And it is never over."""
    drain = Drain(0)
    assert ask(Guard(echo, [drain])).status == 200
    assert not drain.is_over(0)


def test_everything_new_is_refused() -> None:
    """`/health` too, and the connection is closed."""
    drain = Drain(60)
    drain.begin()
    for path in ("/health", "/v1/chat/completions"):
        answer = ask(Guard(echo, [drain]), "GET", path)
        assert (answer.status, answer.error["type"]) == (503, "unavailable_error")
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["connection"] == "close"


def test_it_lasts_while_something_runs_and_there_is_time() -> None:
    """It is over when nothing runs, or at the end of its time."""
    drain = Drain(60)
    drain.begin()
    assert not drain.is_over(1)
    assert drain.is_over(0)
    short = Drain(0)
    short.begin()
    assert short.is_over(1)
