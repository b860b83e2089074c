"""A response as clients see it: whole, or as a stream of typed events."""

import time
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from runtime.chat.deltas import ContentDelta, ReasoningDelta, ToolCallDelta
from runtime.engine.model import Model
from runtime.engine.sequence import GenerationRequest, Stats
from runtime.server.answers import AnswerDelta, AnswerEnd, AnswerEvent
from runtime.server.dialects.openai.logprobs import logprobs_body
from runtime.server.dialects.openai.output_items import (
    Body,
    CallItem,
    MessageItem,
    OutputItem,
    ReasoningItem,
)
from runtime.server.dialects.openai.response_request import ResponseRequest, TextConfig
from runtime.server.errors import error_facts
from runtime.server.timings import timings


class ResponseAnswer:
    """Writes one response.

    Args:
        name: The model's name.
        model: The loaded model.
        body: The request, which the response repeats.
        request: The same as the engine takes it.
    """

    def __init__(
        self, name: str, model: Model, body: ResponseRequest, request: GenerationRequest
    ) -> None:
        self._model = model
        self._with_logprobs = body.wants_logprobs
        self._frame = _frame(name, body, request)
        self._items: list[OutputItem] = []
        self._output: list[Body] = []
        self._open: OutputItem | None = None
        self._num_reasoning_tokens = 0
        self._num_events = 0

    async def whole(self, events: AsyncGenerator[AnswerEvent]) -> Body:
        """Return the response once it is complete.

        Raises:
            AppError: It failed.
        """
        response: Body = {}
        async for event in self.events(events):
            response = event.get("response", response)
        return response

    async def events(self, events: AsyncGenerator[AnswerEvent]) -> AsyncGenerator[Body]:
        """Yield the response's events.

        Raises:
            AppError: It failed.
        """
        async with aclosing(events):
            # The response is created with the first event, when it is clear that there is one.
            begin: list[Body] = [
                {"type": f"response.{name}", "response": self._frame}
                for name in ("created", "in_progress")
            ]
            async for event in events:
                for told in begin:
                    yield self._numbered(told)
                begin.clear()
                for told in self._of(event):
                    yield self._numbered(told)

    def failure(self, error: Exception) -> Body:
        """Return the event that tells of an error after the first event."""
        facts = error_facts(error)
        told = {
            "code": "server_error" if facts.code >= 500 else "invalid_prompt",
            "message": facts.message,
        }
        response = self._frame | {"status": "failed", "error": told, "output": self._output}
        return self._numbered({"type": "response.failed", "response": response})

    def _of(self, event: AnswerEvent) -> Iterator[Body]:
        return self._ended(event) if isinstance(event, AnswerEnd) else self._grown(event)

    def _grown(self, event: AnswerDelta) -> Iterator[Body]:
        if event.deltas and isinstance(event.deltas[0], ReasoningDelta):
            self._num_reasoning_tokens += len(event.tokens)
        logprobs = self._logprobs(event)
        for delta in event.deltas:
            match delta:
                case ContentDelta("") if not logprobs:
                    pass
                case ContentDelta(text):
                    yield from self._opened(MessageItem)
                    assert isinstance(self._open, MessageItem), "just opened"
                    yield self._open.add(text, logprobs)
                    logprobs = []
                case ReasoningDelta(text):
                    yield from self._opened(ReasoningItem)
                    assert isinstance(self._open, ReasoningItem), "just opened"
                    yield self._open.add(text, [])
                case ToolCallDelta():
                    yield from self._called(delta)

    def _called(self, delta: ToolCallDelta) -> Iterator[Body]:
        if delta.name:
            yield from self._closed()
            yield from self._begun(CallItem(len(self._output), delta.id, delta.name))
        assert isinstance(self._open, CallItem), "a call's first delta has its name"
        if delta.arguments:
            yield self._open.add(delta.arguments)

    def _opened(self, kind: type[MessageItem] | type[ReasoningItem]) -> Iterator[Body]:
        """Open an item unless one of its kind is open."""
        if not isinstance(self._open, kind):
            yield from self._closed()
            yield from self._begun(kind(len(self._output)))

    def _begun(self, item: OutputItem) -> Iterator[Body]:
        self._open = item
        yield from item.opening()

    def _closed(self, status: str = "completed") -> Iterator[Body]:
        if self._open:
            yield from self._open.closing(status)
            self._output.append(self._open.body(status))
            self._open = None

    def _ended(self, end: AnswerEnd) -> Iterator[Body]:
        is_cut = end.reason == "length"
        status = "incomplete" if is_cut else "completed"
        if not (self._output or self._open):
            # Clients look for a message even where the model said nothing.
            yield from self._opened(MessageItem)
        yield from self._closed(status)
        response = self._frame | {
            "status": status,
            "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
            "completed_at": None if is_cut else int(time.time()),
            "output": self._output,
            "usage": self._usage(end.stats),
            "timings": timings(end.stats),
        }
        yield {"type": f"response.{status}", "response": response}

    def _logprobs(self, event: AnswerDelta) -> list[Body]:
        if not self._with_logprobs:
            return []
        content: list[Body] = logprobs_body(event.choices, self._model)["content"]
        return content

    def _numbered(self, event: Body) -> Body:
        event["sequence_number"] = self._num_events
        self._num_events += 1
        return event

    def _usage(self, stats: Stats) -> Body:
        return {
            "input_tokens": stats.prompt_tokens,
            "input_tokens_details": {
                "cached_tokens": stats.cached_tokens,
                "cache_write_tokens": stats.prompt_tokens - stats.cached_tokens,
            },
            "output_tokens": stats.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": self._num_reasoning_tokens},
            "total_tokens": stats.prompt_tokens + stats.completion_tokens,
        }


def _frame(name: str, body: ResponseRequest, request: GenerationRequest) -> dict[str, Any]:
    """Return a response that has just begun."""
    effort = body.reasoning.effort if body.reasoning else None
    return {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "metadata": body.metadata or {},
        "model": name,
        "output": [],
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": None,
        "reasoning": {"effort": effort, "summary": None},
        "store": False,
        "temperature": request.sampling.temperature,
        "text": body.text or TextConfig(),
        "tool_choice": body.tool_choice or "auto",
        "tools": body.tools or [],
        "top_logprobs": body.top_logprobs or 0,
        "top_p": request.sampling.top_p,
        "truncation": "disabled",
        "usage": None,
    }
