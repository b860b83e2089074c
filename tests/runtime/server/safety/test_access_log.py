"""Tests of request ids and the lines that tell of requests."""

import asyncio
import logging
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from runtime.server.request_facts import current_facts
from runtime.server.safety.access_log import AccessLog
from tests.runtime.server.safety.asgi import ask, echo

SECRET = b'{"prompt": "what nobody else should read"}'


async def _counting(scope: Scope, receive: Receive, send: Send) -> None:
    """Count tokens of two choices, and answer; the log counts tenths of a millisecond."""
    await asyncio.sleep(0.002)
    facts = current_facts.get()
    assert facts, "each request has them"
    facts.add_prompts([4, 3])
    facts.add_completion(3)
    facts.add_completion(2)
    await echo(scope, receive, send)


async def _breaking_off(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})


def _fields(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    fields: dict[str, Any] = caplog.records[-1].fields  # type: ignore[attr-defined]  # ours
    return fields


def test_a_request_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """With who asked what, and what came of it."""
    with caplog.at_level(logging.INFO):
        answer = ask(AccessLog(_counting), "POST", "/v1/models", SECRET)
    fields = _fields(caplog)
    assert len(caplog.records) == 1
    assert fields["ms"] > 0
    assert fields["request_id"] == answer.headers["x-request-id"]
    assert fields | {"ms": 0, "request_id": ""} == {
        "request_id": "",
        "client": "127.0.0.1",
        "method": "POST",
        "path": "/v1/models",
        "status": 200,
        "is_whole": True,
        "ms": 0,
        "prompt_tokens": 7,
        "completion_tokens": 5,
    }
    assert "nobody" not in caplog.text


def test_prompts_are_logged_only_where_asked(caplog: pytest.LogCaptureFixture) -> None:
    """`--log-prompts` adds the body."""
    with caplog.at_level(logging.INFO):
        ask(AccessLog(echo, with_bodies=True), "POST", "/v1/models", SECRET[:10], SECRET[10:])
    assert _fields(caplog)["body"] == SECRET.decode()


def test_an_answer_cut_short_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """It is not whole."""
    with caplog.at_level(logging.INFO):
        ask(AccessLog(_breaking_off))
    assert _fields(caplog)["is_whole"] is False
    assert "cut off" in caplog.text


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_probes_are_no_news(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """They are logged as DEBUG."""
    with caplog.at_level(logging.INFO):
        ask(AccessLog(echo), "GET", path)
    assert not caplog.records


def test_a_sane_id_is_kept() -> None:
    """As the client gave it."""
    assert ask(AccessLog(echo), x_request_id="req_1-a.b").headers["x-request-id"] == "req_1-a.b"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\nb", "\u00e9", '"'])
def test_another_id_is_replaced(given: str) -> None:
    """By one of ours, each time another one."""
    ids = {ask(AccessLog(echo), x_request_id=given).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(one) == 24 for one in ids)
