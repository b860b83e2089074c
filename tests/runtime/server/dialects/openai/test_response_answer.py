"""Tests of responses written from answers made by hand, read by OpenAI's own types."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import pytest
from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta, ToolCallDelta
from runtime.engine.engine import Engine
from runtime.engine.limits import DeadlineError
from runtime.engine.sampling.logprobs import Choice, Likelihood
from runtime.engine.sequence import GenerationRequest, Stats
from runtime.server.answers import AnswerDelta, AnswerEnd, AnswerEvent
from runtime.server.dialects.openai.response_answer import ResponseAnswer
from runtime.server.dialects.openai.response_request import ResponseRequest
from runtime.server.json import encode

EVENTS: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)
CALLING: list[Delta] = [
    ReasoningDelta("Let me "),
    ReasoningDelta("think."),
    ContentDelta("I add."),
    ToolCallDelta(0, "add", "", "call_1"),
    ToolCallDelta(0, arguments='{"a":'),
    ToolCallDelta(0, arguments=" 1}"),
    ToolCallDelta(1, "stop", "{}", "call_2"),
]


async def _answer(deltas: Iterable[Delta], reason: str) -> AsyncGenerator[AnswerEvent]:
    for token, delta in enumerate(deltas):
        yield AnswerDelta(0, (delta,), (token,), (Choice(Likelihood(5, -1.5), ()),))
    stats = Stats(10, 4, 7, 0.0, 0.1, 0.1, 0.2)
    yield AnswerEnd(0, reason, stats, None)


def _writer(engine: Engine, **body: Any) -> ResponseAnswer:
    request = ResponseRequest(input="Hi", **body)
    return ResponseAnswer("model", engine.model, request, GenerationRequest([1]))


def _told(writer: ResponseAnswer, answer: AsyncGenerator[AnswerEvent]) -> list[dict[str, Any]]:
    """Return all events as plain JSON, once OpenAI's types took each."""

    async def collect() -> list[bytes]:
        return [encode(event) async for event in writer.events(answer)]

    events = asyncio.run(collect())
    for event in events:
        EVENTS.validate_json(event)
    return [EVENTS.validate_json(event).to_dict() for event in events]


def _response(events: list[dict[str, Any]]) -> Response:
    return Response.model_validate(events[-1]["response"])


def test_the_sequence_of_events(engine: Engine) -> None:
    """Each item is added, grows, and is done, before the next one; all events are numbered."""
    events = _told(_writer(engine), _answer(CALLING, "tool_calls"))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]


def test_the_whole_response(engine: Engine) -> None:
    """It has the items in order, the usage, and what the request said."""
    body = {"metadata": {"key": "value"}, "instructions": "Be brief.", "parallel_tool_calls": False}
    response = asyncio.run(_writer(engine, **body).whole(_answer(CALLING, "tool_calls")))
    read = Response.model_validate_json(encode(response))
    assert [item.type for item in read.output] == [
        "reasoning", "message", "function_call", "function_call",
    ]  # fmt: skip
    assert read.output_text == "I add."
    first = read.output[2]
    assert first.type == "function_call"
    assert (first.name, first.call_id, first.arguments) == ("add", "call_1", '{"a": 1}')
    assert (read.status, read.error, read.incomplete_details) == ("completed", None, None)
    assert (read.metadata, read.instructions) == ({"key": "value"}, "Be brief.")
    assert read.parallel_tool_calls is False
    assert response["store"] is False
    assert read.usage is not None
    assert (read.usage.input_tokens, read.usage.output_tokens) == (10, 7)
    assert read.usage.input_tokens_details.cached_tokens == 4
    assert read.usage.output_tokens_details.reasoning_tokens == 2


def test_openais_stream_helper_agrees(engine: Engine) -> None:
    """What its helper puts together from the events is the response that ends them."""
    state = ResponseStreamState[None](input_tools=omit, text_format=omit)
    events = _told(_writer(engine), _answer(CALLING, "tool_calls"))
    told = [one for event in events for one in state.handle_event(EVENTS.validate_python(event))]
    snapshots = [event.snapshot for event in told if hasattr(event, "snapshot")]
    assert snapshots == ["I add.", '{"a":', '{"a": 1}', "{}"]
    assert told[-1].type == "response.completed"
    assert told[-1].response.output_text == "I add."


def test_an_answer_cut_short_is_incomplete(engine: Engine) -> None:
    """So is its last item, and only that."""
    events = _told(_writer(engine), _answer(CALLING[:3], "length"))
    response = _response(events)
    assert events[-1]["type"] == "response.incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert [getattr(item, "status", None) for item in response.output] == [
        "completed",
        "incomplete",
    ]


def test_an_empty_answer_has_a_message(engine: Engine) -> None:
    """Clients that look for one find it, without a text."""
    response = _response(_told(_writer(engine), _answer([], "stop")))
    assert [item.type for item in response.output] == ["message"]
    assert response.output_text == ""


def test_logprobs_come_with_the_text_alone(engine: Engine) -> None:
    """Each token of the answer's text has one, in its event and in the end; no other has."""
    writer = _writer(engine, include=["message.output_text.logprobs"])
    events = _told(writer, _answer(CALLING, "tool_calls"))
    deltas = [event for event in events if event["type"] == "response.output_text.delta"]
    assert [len(event["logprobs"]) for event in deltas] == [1]
    message = _response(events).output[1]
    assert message.type == "message"
    part = message.content[0]
    assert part.type == "output_text"
    assert [one.logprob for one in part.logprobs or ()] == [-1.5]


@pytest.mark.parametrize(
    ("error", "code"), [(DeadlineError(3.0), "server_error"), (ValueError("x"), "server_error")]
)
def test_a_failure_after_the_first_event(engine: Engine, error: Exception, code: str) -> None:
    """It is an event that has what there was by then, and takes the next number."""
    writer = _writer(engine)

    async def half() -> AsyncGenerator[AnswerEvent]:
        async for event in _answer(CALLING[:3], "stop"):
            if isinstance(event, AnswerEnd):
                return
            yield event

    events = _told(writer, half())
    failed = EVENTS.validate_json(encode(writer.failure(error)))
    assert failed.type == "response.failed"
    assert failed.sequence_number == len(events)
    assert failed.response.error is not None
    assert failed.response.error.code == code
    assert failed.response.status == "failed"
    assert [item.type for item in failed.response.output] == ["reasoning"]
