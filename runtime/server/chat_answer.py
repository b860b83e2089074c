"""A chat completion as clients see it: whole, or as a stream of chunks."""

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.sequence import Event, Failed, Finished, Stats, TextDelta
from runtime.server.errors import error_body
from runtime.server.generation import ChoiceEvent
from runtime.server.json import encode
from runtime.server.logprobs import logprobs_body
from runtime.server.timings import timings


class ChatAnswer:
    """Writes one completion, whole or as a stream of chunks."""

    def __init__(self, name: str, model: Model, *, with_logprobs: bool) -> None:
        self._model = model
        self._with_logprobs = with_logprobs
        self._frame = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": name,
        }

    async def whole(self, events: AsyncGenerator[ChoiceEvent], num_choices: int) -> dict[str, Any]:
        """Return the completion once every choice is finished.

        Raises:
            AppError: A choice failed; the others are given up.
        """
        choices = [_GrowingChoice() for _ in range(num_choices)]
        async with aclosing(events):
            async for event in events:
                choices[event.index].add(event.event)
        stats = _in_all([choice.stats for choice in choices if choice.stats])
        return self._frame | {
            "object": "chat.completion",
            "choices": [self._choice(index, choice) for index, choice in enumerate(choices)],
            "usage": _usage(stats),
            "timings": timings(stats),
        }

    async def stream(
        self,
        first: ChoiceEvent,
        events: AsyncGenerator[ChoiceEvent],
        num_choices: int,
        *,
        include_usage: bool,
    ) -> AsyncIterator[bytes]:
        """Yield the completion as server-sent events, the choices' mingled as they come."""
        finished: list[Stats] = []
        async with aclosing(events):
            for index in range(num_choices):
                yield self._chunk(index, {"role": "assistant", "content": ""}, None)
            event: ChoiceEvent | None = first
            while event:
                match event.event:
                    case TextDelta(text, _, choices):
                        yield self._chunk(event.index, {"content": text}, None, choices)
                    case Finished(reason, stats):
                        finished.append(stats)
                        yield self._chunk(event.index, {}, reason, timings=timings(stats))
                    case Failed(error):
                        yield _sse(error_body(error))
                        break
                event = await anext(events, None)
            if include_usage and len(finished) == num_choices:
                yield self._usage_chunk(_in_all(finished))
            yield b"data: [DONE]\n\n"

    def _logprobs(self, choices: Iterable[Choice]) -> dict[str, Any]:
        return {"logprobs": logprobs_body(choices, self._model)} if self._with_logprobs else {}

    def _choice(self, index: int, choice: "_GrowingChoice") -> dict[str, Any]:
        return {
            "index": index,
            "message": {"role": "assistant", "content": "".join(choice.texts)},
            "finish_reason": choice.reason,
        } | self._logprobs(choice.choices)

    def _chunk(
        self,
        index: int,
        delta: dict[str, str],
        reason: str | None,
        choices: Iterable[Choice] = (),
        **extra: Any,
    ) -> bytes:
        choice = {"index": index, "delta": delta, "finish_reason": reason} | self._logprobs(choices)
        return _sse(self._frame | {"object": "chat.completion.chunk", "choices": [choice]} | extra)

    def _usage_chunk(self, stats: Stats) -> bytes:
        return _sse(
            self._frame | {"object": "chat.completion.chunk", "choices": [], "usage": _usage(stats)}
        )


@dataclass
class _GrowingChoice:
    """What one choice has come to."""

    texts: list[str] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    reason: str = ""
    stats: Stats | None = None

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text, _, choices):
                self.texts.append(text)
                self.choices += choices
            case Failed(error):
                raise error
            case Finished(reason, stats):
                self.reason, self.stats = reason, stats


def _in_all(stats: Sequence[Stats]) -> Stats:
    """Return what all choices took together; they have one prompt, and run side by side."""
    return Stats(
        prompt_tokens=stats[0].prompt_tokens,
        # The choice that came first found what was there; the others found that one's prompt.
        cached_tokens=min(choice.cached_tokens for choice in stats),
        completion_tokens=sum(choice.completion_tokens for choice in stats),
        queue_s=min(choice.queue_s for choice in stats),
        prompt_s=max(choice.prompt_s for choice in stats),
        time_to_first_token_s=min(choice.time_to_first_token_s for choice in stats),
        generation_s=max(choice.generation_s for choice in stats),
        drafted_tokens=sum(choice.drafted_tokens for choice in stats),
        accepted_tokens=sum(choice.accepted_tokens for choice in stats),
    )


def _sse(data: dict[str, Any]) -> bytes:
    return b"data: " + encode(data) + b"\n\n"


def _usage(stats: Stats) -> dict[str, Any]:
    return {
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.completion_tokens,
        "total_tokens": stats.prompt_tokens + stats.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": stats.cached_tokens},
    }
