"""A chat completion as clients see it: whole, or as a stream of chunks."""

import time
import uuid
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from runtime import __version__
from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta, ToolCallDelta
from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.sequence import Stats
from runtime.server.answers import Answer, AnswerEnd, AnswerEvent, ToolCall, in_all
from runtime.server.dialects.openai.logprobs import logprobs_body
from runtime.server.progress import ShownProgress
from runtime.server.streaming import server_sent
from runtime.server.timings import timings

DONE = b"data: [DONE]\n\n"


class ChatAnswer:
    """Writes one completion, whole or as a stream of chunks.

    Args:
        name: The model's name.
        model: The loaded model.
        with_logprobs: Whether to tell how likely tokens were.
        splits_reasoning: Whether reasoning has its own field; else it is content between tags.
        progress: What chunks tell of how far the answer has come.
    """

    def __init__(
        self,
        name: str,
        model: Model,
        *,
        with_logprobs: bool,
        splits_reasoning: bool,
        progress: ShownProgress,
    ) -> None:
        self._model = model
        self._with_logprobs = with_logprobs
        self._splits_reasoning = splits_reasoning
        self._progress = progress
        self._frame = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": name,
            "system_fingerprint": f"solofile-{__version__}",
        }

    def whole(self, answers: list[Answer]) -> dict[str, Any]:
        """Return the completion."""
        stats = in_all([answer.stats for answer in answers])
        return self._frame | {
            "object": "chat.completion",
            "choices": [self._choice(index, answer) for index, answer in enumerate(answers)],
            "usage": usage(stats),
            "timings": timings(stats),
        }

    async def chunks(
        self, events: AsyncGenerator[AnswerEvent], num_choices: int, *, include_usage: bool
    ) -> AsyncGenerator[bytes]:
        """Yield the completion as server-sent events, the choices' mingled as they come.

        Raises:
            AppError: A choice failed.
        """
        ended: list[Stats] = []
        tags = [_ReasoningTags() for _ in range(num_choices)]
        async with aclosing(events):
            # The roles are told with the first event, when it is clear that there is an answer.
            opening = [
                self._chunk(index, {"role": "assistant", "content": ""})
                for index in range(num_choices)
            ]
            async for event in events:
                for chunk in opening:
                    yield chunk
                opening.clear()
                if isinstance(event, AnswerEnd):
                    ended.append(event.stats)
                    yield self._chunk(event.index, {}, event.reason, timings=timings(event.stats))
                    continue
                if not event.deltas:
                    if not self._progress.hides(event):
                        yield self._chunk(event.index, {}, **self._progress.fields(event))
                    continue
                deltas = list(event.deltas)
                if not self._splits_reasoning:
                    deltas = [
                        one for delta in deltas for one in tags[event.index].as_content(delta)
                    ]
                yield self._chunk(
                    event.index,
                    _delta(deltas[0]),
                    None,
                    event.choices,
                    **self._progress.fields(event),
                )
                for delta in deltas[1:]:
                    yield self._chunk(event.index, _delta(delta))
        if include_usage:
            yield server_sent(
                self._frame
                | {"object": "chat.completion.chunk", "choices": [], "usage": usage(in_all(ended))}
            )
        yield DONE

    def _choice(self, index: int, answer: Answer) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer.content}
        if answer.reasoning and self._splits_reasoning:
            message["reasoning_content"] = answer.reasoning
        elif answer.reasoning:
            end = "</think>" if answer.content or answer.tool_calls else ""
            message["content"] = f"<think>{answer.reasoning}{end}{answer.content}"
        if answer.tool_calls:
            message["tool_calls"] = [_tool_call(call) for call in answer.tool_calls]
            message["content"] = message["content"] or None
        return {
            "index": index,
            "message": message,
            "finish_reason": answer.reason,
        } | self._logprobs(answer.choices)

    def _logprobs(self, choices: Iterable[Choice]) -> dict[str, Any]:
        return {"logprobs": logprobs_body(choices, self._model)} if self._with_logprobs else {}

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        reason: str | None = None,
        choices: Iterable[Choice] = (),
        **extra: Any,
    ) -> bytes:
        choice = {"index": index, "delta": delta, "finish_reason": reason} | self._logprobs(choices)
        return server_sent(
            self._frame | {"object": "chat.completion.chunk", "choices": [choice]} | extra
        )


class _ReasoningTags:
    """Puts one answer's reasoning between tags into its content."""

    def __init__(self) -> None:
        self._is_open = False

    def as_content(self, delta: Delta) -> list[Delta]:
        is_reasoning = isinstance(delta, ReasoningDelta)
        tag = "" if is_reasoning == self._is_open else "<think>" if is_reasoning else "</think>"
        self._is_open = is_reasoning
        if isinstance(delta, ToolCallDelta):
            return [ContentDelta(tag), delta] if tag else [delta]
        return [ContentDelta(tag + delta.text)]


def usage(stats: Stats) -> dict[str, Any]:
    """Return OpenAI's `usage`."""
    return {
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.completion_tokens,
        "total_tokens": stats.prompt_tokens + stats.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": stats.cached_tokens},
    }


def _delta(delta: Delta) -> dict[str, Any]:
    match delta:
        case ContentDelta(text):
            return {"content": text}
        case ReasoningDelta(text):
            return {"reasoning_content": text}
        case ToolCallDelta(index, name, arguments, id):
            opening = {"id": id, "type": "function"} if name else {}
            function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
            return {"tool_calls": [{"index": index} | opening | {"function": function}]}


def _tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}
