"""Tests of limits as clients see them."""

import asyncio
import json
from typing import Any, cast

import pytest
from starlette.requests import Request

from runtime.engine.engine import Engine
from runtime.engine.limits import BusyError, DeadlineError, QueueFullError
from runtime.server.dialects.openai.chat_request import ChatRequest
from runtime.server.errors import answer_error
from runtime.server.state import ServerState


@pytest.mark.parametrize(
    ("error", "words"), [(QueueFullError(9), "--max-queue"), (DeadlineError(2.5), "2.5 seconds")]
)
def test_a_busy_server_says_when_to_ask_again(error: BusyError, words: str) -> None:
    """The answer is 503 with llama-server's type, and carries Retry-After."""
    answer = asyncio.run(
        answer_error(Request({"type": "http", "path": "/v1/x", "headers": []}), error)
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    told = json.loads(bytes(answer.body))["error"]
    assert told["type"] == "unavailable_error"
    assert words in told["message"]


@pytest.mark.parametrize(
    ("fields", "allowed", "expected"),
    [
        ({}, None, None),
        ({}, 50, 50),
        ({"max_tokens": 20}, 50, 20),
        ({"max_tokens": 80}, 50, 50),
        ({"n_predict": 7}, None, 7),
        ({"n_predict": -1}, 50, 50),
        ({"n_predict": -1}, None, None),
        ({"max_completion_tokens": 0, "max_tokens": 5}, None, 0),
    ],
)
def test_no_request_generates_more_than_the_server_allows(
    fields: dict[str, Any], allowed: int | None, expected: int | None
) -> None:
    """`--predict` bounds whatever a request asks for, by any of its names."""
    state = ServerState(cast(Engine, None), "", "", {}, allowed)
    body = ChatRequest(messages=[], **fields)
    assert state.allowed_tokens(body.token_limit()) == expected


@pytest.mark.parametrize(
    ("server", "asked", "expected"),
    [(None, None, None), (None, 5, None), (0, None, 0), (7, None, 7), (7, 0, 0), (0, -1, -1)],
)
def test_a_request_says_what_is_kept_only_where_contexts_shift(
    server: int | None, asked: int | None, expected: int | None
) -> None:
    """`n_keep` beats `--keep`, and turns nothing on."""
    state = ServerState(cast(Engine, None), "", "", {}, None, n_keep=server)
    assert state.kept_tokens(ChatRequest(messages=[], n_keep=asked).n_keep) == expected
