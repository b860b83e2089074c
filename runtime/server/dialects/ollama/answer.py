"""Answers as Ollama's clients see them: one object, or lines of JSON."""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.chat.deltas import ContentDelta, ReasoningDelta, ToolCallDelta
from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice
from runtime.server.answers import (
    Answer,
    AnswerDelta,
    AnswerEnd,
    AnswerEvent,
    ToolCall,
    answer_events,
    whole_answers,
)
from runtime.server.dialects.ollama.errors import error_body
from runtime.server.dialects.ollama.logprobs import logprobs_body
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse, encode
from runtime.server.streaming import stream
from runtime.server.task import Task

NDJSON = "application/x-ndjson"


def now() -> str:
    """Return the time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class AnswerWriter(ABC):
    """Writes one answer, whole or as lines.

    Args:
        name: The model's name, as the client called it.
        model: The loaded model.
        with_logprobs: Whether to tell how likely tokens were.
    """

    def __init__(self, name: str, model: Model, *, with_logprobs: bool) -> None:
        self._name = name
        self._model = model
        self._with_logprobs = with_logprobs
        self._began_at = time.monotonic_ns()

    @abstractmethod
    def said(self, content: str, thinking: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the fields with what the model says."""

    def more(self, answer: Answer) -> dict[str, Any]:
        """Return more fields of the last line."""
        return {}

    def nothing(self, reason: str) -> dict[str, Any]:
        """Return the answer to a request that only wants the model loaded, or not any longer."""
        return self._frame() | self.said("", "", []) | {"done": True, "done_reason": reason}

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the whole answer."""
        said = self.said(answer.content, answer.reasoning, _told(answer.tool_calls))
        return self._frame() | said | self._end(answer) | self._logprobs(answer.choices)

    async def lines(self, events: AsyncGenerator[AnswerEvent]) -> AsyncGenerator[bytes]:
        """Yield the answer as lines; a tool call comes when it is complete.

        Raises:
            AppError: The answer failed.
        """
        answer = Answer()
        num_told = 0
        async with aclosing(events):
            async for event in events:
                answer.add(event)
                if isinstance(event, AnswerEnd):
                    break
                is_open = isinstance(event.deltas[-1], ToolCallDelta)
                complete = answer.tool_calls[num_told : len(answer.tool_calls) - is_open]
                num_told += len(complete)
                line = self._line(event, _told(complete))
                if line:
                    yield line
        if calls := _told(answer.tool_calls[num_told:]):
            yield _encoded(self._frame() | self.said("", "", calls) | {"done": False})
        yield _encoded(self._frame() | self.said("", "", []) | self._end(answer))

    def _line(self, event: AnswerDelta, calls: list[dict[str, Any]]) -> bytes | None:
        content = "".join(one.text for one in event.deltas if isinstance(one, ContentDelta))
        thinking = "".join(one.text for one in event.deltas if isinstance(one, ReasoningDelta))
        logprobs = self._logprobs(event.choices)
        if not (content or thinking or calls or logprobs):
            return None
        said = self.said(content, thinking, calls)
        return _encoded(self._frame() | said | {"done": False} | logprobs)

    def _frame(self) -> dict[str, Any]:
        return {"model": self._name, "created_at": now()}

    def _logprobs(self, choices: Iterable[Choice]) -> dict[str, Any]:
        if not self._with_logprobs or not choices:
            return {}
        return {"logprobs": logprobs_body(choices, self._model)}

    def _end(self, answer: Answer) -> dict[str, Any]:
        stats = answer.stats
        return {
            "done": True,
            # To Ollama a tool call is an answer like any other.
            "done_reason": "length" if answer.reason == "length" else "stop",
            **self.more(answer),
            "total_duration": time.monotonic_ns() - self._began_at,
            "load_duration": 0,
            "prompt_eval_count": stats.prompt_tokens,
            "prompt_eval_duration": _nanoseconds(stats.prompt_s),
            "eval_count": stats.completion_tokens,
            "eval_duration": _nanoseconds(stats.generation_s),
        }


async def send(
    request: Request, engine: Engine, task: Task, writer: AnswerWriter, *, streams: bool
) -> Response:
    """Answer a request with a task's answer.

    Raises:
        AppError: It failed before the first line.
    """
    if not streams:
        [answer] = await unless_gone(request, whole_answers(engine, task))
        return JSONResponse(writer.whole(answer))
    lines = writer.lines(answer_events(engine, task))
    return await stream(
        request, lines, lambda error: _encoded(error_body(error)), media_type=NDJSON
    )


def _told(calls: Iterable[ToolCall]) -> list[dict[str, Any]]:
    """Return tool calls, without one that the answer's limit cut short."""
    told = []
    for index, call in enumerate(calls):
        arguments = call.arguments_object()
        if arguments is not None:
            function = {"index": index, "name": call.name, "arguments": arguments}
            told.append({"id": call.id, "function": function})
    return told


def _encoded(line: dict[str, Any]) -> bytes:
    return encode(line) + b"\n"


def _nanoseconds(seconds: float) -> int:
    # Clients divide by it.
    return max(1, round(seconds * 1e9))
