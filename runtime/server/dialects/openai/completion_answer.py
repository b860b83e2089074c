"""A text completion as clients see it: whole, or as a stream of chunks."""

import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from runtime import __version__
from runtime.engine.model import Model
from runtime.engine.sequence import Stats
from runtime.server.answers import Answer, AnswerEnd, AnswerEvent, in_all
from runtime.server.dialects.openai.chat_answer import DONE, usage
from runtime.server.dialects.openai.completion_request import CompletionRequest
from runtime.server.dialects.openai.logprobs import TextLogprobs
from runtime.server.streaming import server_sent
from runtime.server.timings import timings


class CompletionAnswer:
    """Writes one completion, whole or as a stream of chunks.

    Args:
        name: The model's name.
        model: The loaded model.
        body: The request.
        prompts: The token ids of its prompts.
    """

    def __init__(
        self, name: str, model: Model, body: CompletionRequest, prompts: Sequence[list[int]]
    ) -> None:
        self._model = model
        self._body = body
        self._echoes = [
            echo for echo in body.echoes(model, prompts) for _ in range(body.num_choices)
        ]
        self._frame = {
            "id": f"cmpl-{uuid.uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": name,
            "system_fingerprint": f"solofile-{__version__}",
        }

    def whole(self, answers: list[Answer]) -> dict[str, Any]:
        """Return the completion; of more answers than were asked for the likeliest are told."""
        num_candidates = len(answers) * self._body.num_choices // len(self._echoes)
        stats = in_all([answer.stats for answer in answers], num_candidates)
        told = [
            answer
            for first in range(0, len(answers), num_candidates)
            for answer in _best(answers[first : first + num_candidates], self._body.num_choices)
        ]
        return self._frame | {
            "choices": [self._choice(index, answer) for index, answer in enumerate(told)],
            "usage": usage(stats),
            "timings": timings(stats),
        }

    async def chunks(self, events: AsyncGenerator[AnswerEvent]) -> AsyncGenerator[bytes]:
        """Yield the completion as server-sent events, the choices' mingled as they come.

        Raises:
            AppError: A choice failed.
        """
        ended: dict[int, Stats] = {}
        logprobs = [TextLogprobs(self._model, len(echo)) for echo in self._echoes]
        untold = list(self._echoes)
        progress = self._body.shown_progress()
        async with aclosing(events):
            async for event in events:
                index = event.index
                if isinstance(event, AnswerEnd):
                    ended[index] = event.stats
                    extra = {"timings": timings(event.stats)}
                    yield self._chunk(index, untold[index], None, event.reason, extra)
                    continue
                if progress.hides(event):
                    continue
                body = None if self._body.logprobs is None else logprobs[index].body(event.choices)
                text = untold[index] + event.text
                yield self._chunk(index, text, body, None, progress.fields(event))
                untold[index] = ""
        if self._body.wants_usage:
            stats = in_all([ended[index] for index in sorted(ended)], self._body.num_choices)
            yield server_sent(self._frame | {"choices": [], "usage": usage(stats)})
        yield DONE

    def _choice(self, index: int, answer: Answer) -> dict[str, Any]:
        echo = self._echoes[index]
        logprobs = None
        if self._body.logprobs is not None:
            logprobs = TextLogprobs(self._model, len(echo)).body(answer.choices)
        return {
            "text": echo + answer.content,
            "index": index,
            "logprobs": logprobs,
            "finish_reason": answer.reason,
        }

    def _chunk(
        self,
        index: int,
        text: str,
        logprobs: dict[str, Any] | None,
        reason: str | None,
        extra: dict[str, Any],
    ) -> bytes:
        choice = {"text": text, "index": index, "logprobs": logprobs, "finish_reason": reason}
        return server_sent(self._frame | {"choices": [choice]} | extra)


def _best(answers: list[Answer], count: int) -> list[Answer]:
    """Return the answers whose tokens are likeliest on average, best first."""
    if len(answers) == count:
        return answers

    def mean(answer: Answer) -> float:
        logprobs = [choice.chosen.logprob for choice in answer.choices]
        return sum(logprobs) / max(1, len(logprobs))

    return sorted(answers, key=mean, reverse=True)[:count]
