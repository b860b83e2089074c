"""An answer of llama-server's `/completion`: whole, or as a stream of chunks."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from runtime.engine.engine import Engine
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.sequence import GenerationRequest
from runtime.server.answers import Answer, AnswerDelta, AnswerEnd, AnswerEvent
from runtime.server.dialects.llama_server.completion_request import NativeFields
from runtime.server.dialects.llama_server.generation_settings import generation_settings
from runtime.server.dialects.llama_server.token_probs import token_probs
from runtime.server.streaming import server_sent
from runtime.server.timings import timings

# A request has no slot of its own here; llama-server takes this number for "any".
NO_SLOT = -1


class NativeAnswer:
    """Writes the answers to one request.

    Args:
        name: The model's name.
        engine: The engine that generates them.
        body: The request.
        requests: What each answer was asked for by.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        body: NativeFields,
        requests: tuple[GenerationRequest, ...],
    ) -> None:
        self._name = name
        self._engine = engine
        self._body = body
        self._requests = requests
        self._growing = [Answer() for _ in requests]

    def whole(self, answers: list[Answer]) -> Any:
        """Return the one answer, or a list of several."""
        told = [self._final(index, answer) for index, answer in enumerate(answers)]
        return told[0] if len(told) == 1 else told

    async def chunks(self, events: AsyncGenerator[AnswerEvent]) -> AsyncGenerator[bytes]:
        """Yield the answers as server-sent events, mingled as they come.

        Raises:
            AppError: One failed.
        """
        progress = self._body.shown_progress()
        async with aclosing(events):
            async for event in events:
                answer = self._growing[event.index]
                answer.add(event)
                if isinstance(event, AnswerEnd):
                    yield server_sent(self._final(event.index, answer))
                elif not progress.hides(event):
                    yield server_sent(self._partial(event) | progress.fields(event))

    def _partial(self, event: AnswerDelta) -> dict[str, Any]:
        request = self._requests[event.index]
        return {
            "index": event.index,
            "content": event.text,
            "tokens": event.tokens,
            "stop": False,
            "id_slot": NO_SLOT,
            "tokens_predicted": len(self._growing[event.index].tokens),
            "tokens_evaluated": len(request.prompt),
        } | self._probs(event.choices)

    def _final(self, index: int, answer: Answer) -> dict[str, Any]:
        """Return an answer's end; where the text was streamed it has none of it."""
        is_streamed = bool(self._body.stream)
        request, stats = self._requests[index], answer.stats
        num_tokens = stats.prompt_tokens + stats.completion_tokens
        told = {
            "index": index,
            "content": "" if is_streamed else answer.content,
            "tokens": [] if is_streamed else self._tokens(answer),
            "id_slot": NO_SLOT,
            "stop": True,
            "model": self._name,
            "tokens_predicted": stats.completion_tokens,
            "tokens_evaluated": stats.prompt_tokens,
            "generation_settings": generation_settings(request, is_streamed=is_streamed),
            "prompt": self._engine.model.text(request.prompt),
            "has_new_line": "\n" in answer.content,
            "truncated": num_tokens >= self._engine.n_ctx,
            "stop_type": _stop_type(answer),
            "stopping_word": answer.stopped_by or "",
            # The last token was chosen and not computed.
            "tokens_cached": num_tokens - bool(stats.completion_tokens),
            "timings": timings(stats),
        }
        if not is_streamed:
            told |= self._probs(answer.choices)
        fields = self._body.response_fields
        return _picked(told, fields) if fields else told

    def _tokens(self, answer: Answer) -> list[int]:
        """Return all tokens of an answer, the last ones that brought no text, too."""
        if not self._body.return_tokens:
            return []
        assert answer.end, "it is complete"
        return [*answer.tokens, *answer.end.tokens]

    def _probs(self, choices: Iterable[Choice]) -> dict[str, Any]:
        if not (choices and self._body.num_probs):
            return {}
        after_sampling = bool(self._body.post_sampling_probs)
        probs = token_probs(choices, self._engine.model, after_sampling=after_sampling)
        return {"completion_probabilities": probs}


def _stop_type(answer: Answer) -> str:
    if answer.stopped_by is not None:
        return "word"
    return {"stop": "eos", "length": "limit"}.get(answer.reason, "none")


def _picked(told: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """Return some fields; a path such as `timings/prompt_n` is one of a field's own."""
    picked: dict[str, Any] = {}
    for path in fields:
        value: Any = told
        for key in path.split("/"):
            if not (isinstance(value, dict) and key in value):
                break
            value = value[key]
        else:
            picked[path] = value
    return picked
