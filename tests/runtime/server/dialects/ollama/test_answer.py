"""Tests of answers as Ollama's lines, made by hand from an answer's events."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta, ToolCallDelta
from runtime.engine.engine import Engine
from runtime.engine.sequence import Stats
from runtime.errors import AppError
from runtime.server.answers import Answer, AnswerDelta, AnswerEnd, AnswerEvent
from runtime.server.dialects.ollama import answer as answer_module
from runtime.server.dialects.ollama.answer import send
from runtime.server.dialects.ollama.chat import ChatAnswer
from runtime.server.task import Task

STATS = Stats(
    prompt_tokens=9,
    cached_tokens=4,
    completion_tokens=5,
    queue_s=0.1,
    prompt_s=0.25,
    time_to_first_token_s=0.35,
    generation_s=0.5,
)
CALLS = [
    (ToolCallDelta(0, "add", "", "call_a"), ToolCallDelta(0, arguments='{"a"')),
    (ToolCallDelta(0, arguments=": 1}"),),
    (ToolCallDelta(1, "now", "{}", "call_b"),),
]
TOLD = [
    {"id": "call_a", "function": {"index": 0, "name": "add", "arguments": {"a": 1}}},
    {"id": "call_b", "function": {"index": 0, "name": "now", "arguments": {}}},
]


def _writer() -> ChatAnswer:
    return ChatAnswer("name", cast(Any, None), with_logprobs=False)


def _events(*deltas: tuple[Delta, ...], reason: str = "stop") -> list[AnswerEvent]:
    return [
        *(AnswerDelta(0, one, (), ()) for one in deltas),
        AnswerEnd(0, reason, STATS, None),
    ]


async def _told(events: list[AnswerEvent]) -> AsyncGenerator[AnswerEvent]:
    for event in events:
        yield event


def _lines(events: list[AnswerEvent]) -> list[dict[str, Any]]:
    async def collect() -> list[dict[str, Any]]:
        return [json.loads(line) async for line in _writer().lines(_told(events))]

    return asyncio.run(collect())


def _whole(events: list[AnswerEvent]) -> dict[str, Any]:
    answer = Answer()
    for event in events:
        answer.add(event)
    return _writer().whole(answer)


def test_tool_calls_come_when_they_are_complete() -> None:
    """Each comes once, with its arguments as an object; the reason is that of any answer."""
    lines = _lines(_events((ContentDelta("So: "),), *CALLS, reason="tool_calls"))
    messages = [line["message"] for line in lines]
    assert messages[0]["content"] == "So: "
    assert [message["tool_calls"] for message in messages if "tool_calls" in message] == [
        [TOLD[0]],
        [TOLD[1]],
    ]
    assert (lines[-1]["done"], lines[-1]["done_reason"]) == (True, "stop")
    assert all(not line["done"] for line in lines[:-1])


def test_whole_tool_calls() -> None:
    """In a whole answer they stand in one list, numbered."""
    told = _whole(_events(*CALLS, reason="tool_calls"))["message"]["tool_calls"]
    assert [call["function"]["index"] for call in told] == [0, 1]
    assert [call["function"]["arguments"] for call in told] == [{"a": 1}, {}]


def test_a_call_that_was_cut_short_is_none() -> None:
    """Arguments that are no object yet cannot be told as one; the reason tells."""
    events = _events((ToolCallDelta(0, "add", '{"a"', "x"),), reason="length")
    assert [line for line in _lines(events) if "tool_calls" in line["message"]] == []
    whole = _whole(events)
    assert "tool_calls" not in whole["message"]
    assert whole["done_reason"] == "length"


def test_thoughts_have_their_own_field() -> None:
    """What comes with one event is one line."""
    events = _events((ReasoningDelta("Hm"),), (ReasoningDelta("."), ContentDelta("Four")))
    first, second, last = _lines(events)
    assert first["message"] == {"role": "assistant", "content": "", "thinking": "Hm"}
    assert second["message"] == {"role": "assistant", "content": "Four", "thinking": "."}
    assert last["message"] == {"role": "assistant", "content": ""}
    whole = _whole(events)["message"]
    assert (whole["thinking"], whole["content"]) == ("Hm.", "Four")


def test_figures_are_in_nanoseconds() -> None:
    """They are those of the request's statistics."""
    last = _lines(_events((ContentDelta("x"),)))[-1]
    assert (last["prompt_eval_count"], last["eval_count"]) == (9, 5)
    assert (last["prompt_eval_duration"], last["eval_duration"]) == (250_000_000, 500_000_000)


def test_a_failure_after_the_first_line_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails while an answer is sent is told as Ollama tells it."""

    async def failing(engine: Engine, task: Task) -> AsyncGenerator[AnswerEvent]:
        yield AnswerDelta(0, (ContentDelta("x"),), (), ())
        raise AppError("It broke.")

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("never")

    async def body() -> list[dict[str, Any]]:
        request = Request({"type": "http", "method": "POST"}, receive)
        nothing = cast(Any, None)
        response = await send(request, nothing, nothing, _writer(), streams=True)
        assert isinstance(response, StreamingResponse)
        chunks = [chunk async for chunk in response.body_iterator]
        return [json.loads(chunk) for chunk in chunks if isinstance(chunk, bytes)]

    monkeypatch.setattr(answer_module, "answer_events", failing)
    lines = asyncio.run(body())
    assert lines[0]["message"]["content"] == "x"
    assert lines[1] == {"error": "It broke."}
