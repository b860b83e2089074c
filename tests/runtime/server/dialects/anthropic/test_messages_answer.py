"""Tests of messages and their events, made by hand from an answer's events."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta, ToolCallDelta
from runtime.engine.sequence import Stats
from runtime.errors import AppError
from runtime.server.answers import Answer, AnswerDelta, AnswerEnd, AnswerEvent
from runtime.server.dialects.anthropic.errors import error_body
from runtime.server.dialects.anthropic.messages_answer import MessageAnswer
from runtime.server.streaming import server_sent, stream

STATS = Stats(
    prompt_tokens=9,
    cached_tokens=4,
    completion_tokens=5,
    queue_s=0.1,
    prompt_s=0.25,
    time_to_first_token_s=0.35,
    generation_s=0.5,
)
THOUGHT_AND_CALLS: tuple[tuple[Delta, ...], ...] = (
    (ReasoningDelta("H"),),
    (ReasoningDelta("m"), ContentDelta("So: ")),
    (ContentDelta(""),),
    (ToolCallDelta(0, "add", "", "call_a"), ToolCallDelta(0, arguments='{"a"')),
    (ToolCallDelta(0, arguments=": 1}"), ToolCallDelta(1, "now", "{}", "call_b")),
)


def _told(*deltas: tuple[Delta, ...], reason: str = "stop") -> list[AnswerEvent]:
    return [*(AnswerDelta(0, one, (), ()) for one in deltas), AnswerEnd(0, reason, STATS, None)]


def _whole(events: list[AnswerEvent], *, omits_thinking: bool = False) -> dict[str, Any]:
    answer = Answer()
    for event in events:
        answer.add(event)
    return MessageAnswer("name", omits_thinking=omits_thinking).whole(answer)


def _events(events: list[AnswerEvent], *, omits_thinking: bool = False) -> list[dict[str, Any]]:
    async def told() -> AsyncGenerator[AnswerEvent]:
        for event in events:
            yield event

    async def collect() -> list[bytes]:
        writer = MessageAnswer("name", omits_thinking=omits_thinking)
        return [chunk async for chunk in writer.events(told(), 9)]

    return [_read(chunk) for chunk in asyncio.run(collect())]


def _read(chunk: bytes) -> dict[str, Any]:
    """Return an event's data, whose type is its name."""
    name, data = chunk.decode().removesuffix("\n\n").split("\n")
    event: dict[str, Any] = json.loads(data.removeprefix("data: "))
    assert name == f"event: {event['type']}"
    return event


def test_the_events_of_all_blocks() -> None:
    """Blocks come one after the other, numbered; each begins empty and grows by deltas."""
    start, ping, *blocks, delta, stop = _events(_told(*THOUGHT_AND_CALLS, reason="tool_calls"))
    assert start["message"]["content"] == []
    assert start["message"]["usage"]["input_tokens"] == 9
    assert ping == {"type": "ping"}
    shown = [
        (one["index"], one.get("content_block", one.get("delta", {"type": "stop"})))
        for one in blocks
    ]
    call = {"type": "tool_use", "input": {}}
    assert shown == [
        (0, {"type": "thinking", "thinking": "", "signature": ""}),
        (0, {"type": "thinking_delta", "thinking": "H"}),
        (0, {"type": "thinking_delta", "thinking": "m"}),
        (0, {"type": "signature_delta", "signature": ""}),
        (0, {"type": "stop"}),
        (1, {"type": "text", "text": ""}),
        (1, {"type": "text_delta", "text": "So: "}),
        (1, {"type": "stop"}),
        (2, call | {"id": "call_a", "name": "add"}),
        (2, {"type": "input_json_delta", "partial_json": '{"a"'}),
        (2, {"type": "input_json_delta", "partial_json": ": 1}"}),
        (2, {"type": "stop"}),
        (3, call | {"id": "call_b", "name": "now"}),
        (3, {"type": "input_json_delta", "partial_json": "{}"}),
        (3, {"type": "stop"}),
    ]
    assert delta["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}
    assert delta["usage"] == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
        "output_tokens": 5,
    }
    assert stop == {"type": "message_stop"}


def test_a_whole_message_has_the_same_blocks() -> None:
    """Thoughts, text, calls with their input as an object."""
    message = _whole(_told(*THOUGHT_AND_CALLS, reason="tool_calls"))
    assert message["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": ""},
        {"type": "text", "text": "So: "},
        {"type": "tool_use", "id": "call_a", "name": "add", "input": {"a": 1}},
        {"type": "tool_use", "id": "call_b", "name": "now", "input": {}},
    ]
    assert message["stop_reason"] == "tool_use"


def test_thoughts_can_be_left_out() -> None:
    """Their block stays, empty."""
    events = _told(*THOUGHT_AND_CALLS, reason="tool_calls")
    assert _whole(events, omits_thinking=True)["content"][0]["thinking"] == ""
    kinds = [
        one["delta"]["type"]
        for one in _events(events, omits_thinking=True)
        if "delta" in one and "type" in one["delta"]
    ]
    assert "thinking_delta" not in kinds
    assert "signature_delta" in kinds


def test_an_empty_answer_is_an_empty_text() -> None:
    """Clients read the first block; a stream has no block then."""
    events = _told()
    assert _whole(events)["content"] == [{"type": "text", "text": ""}]
    assert [one["type"] for one in _events(events)] == [
        "message_start",
        "ping",
        "message_delta",
        "message_stop",
    ]


def test_a_call_that_was_cut_short_is_no_block() -> None:
    """Its input is no object yet; the reason tells."""
    message = _whole(_told((ToolCallDelta(0, "add", '{"a"', "x"),), reason="length"))
    assert message["content"] == [{"type": "text", "text": ""}]
    assert message["stop_reason"] == "max_tokens"


def test_a_failure_after_the_first_event_is_an_event() -> None:
    """What fails while a message is sent is told as Anthropic tells it."""

    async def failing() -> AsyncGenerator[AnswerEvent]:
        yield AnswerDelta(0, (ContentDelta("x"),), (), ())
        raise AppError("It broke.")

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("never")

    async def body() -> list[bytes]:
        request = Request({"type": "http", "method": "POST"}, receive)
        events = MessageAnswer("name", omits_thinking=False).events(failing(), 9)
        response = await stream(
            request, events, lambda error: server_sent(error_body(error), event="error")
        )
        assert isinstance(response, StreamingResponse)
        chunks = [chunk async for chunk in response.body_iterator]
        return [chunk for chunk in chunks if isinstance(chunk, bytes)]

    told = [_read(chunk) for chunk in asyncio.run(body())]
    assert told[-1] == {"type": "error", "error": {"type": "api_error", "message": "It broke."}}
