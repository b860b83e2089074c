"""A generated text as text-generation-inference tells it: whole, or token by token."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.sequence import GenerationRequest
from runtime.server.answers import Answer, AnswerEnd, AnswerEvent
from runtime.server.dialects.tgi.tokens import TokenWriter
from runtime.server.streaming import server_sent

Body = dict[str, Any]


def best_first(answers: Sequence[Answer]) -> list[int]:
    """Return the numbers of answers, by how likely their tokens were on average."""

    def mean_logprob(index: int) -> float:
        choices = _choices(answers[index])
        return sum(choice.chosen.logprob for choice in choices) / max(1, len(choices))

    return sorted(range(len(answers)), key=mean_logprob, reverse=True)


class GeneratedText:
    """Writes one generated text.

    Args:
        model: The loaded model.
        prompt: What stands before the text, where that was asked for.
        with_details: Whether to tell of the tokens and of the end.
    """

    def __init__(self, model: Model, prompt: str, *, with_details: bool) -> None:
        self._model = model
        self._prompt = prompt
        self._with_details = with_details

    def whole(self, answers: list[Answer], requests: Sequence[GenerationRequest]) -> Body:
        """Return the text, the best of several.

        Args:
            answers: All that were generated.
            requests: The same as the engine took them.
        """
        order = best_first(answers)
        if not self._with_details:
            return {"generated_text": self._prompt + _text(answers[order[0]])}
        sequences = [self._sequence(answers[index], requests[index]) for index in order]
        details = sequences[0]
        text = details.pop("generated_text")
        if len(sequences) > 1:
            details["best_of_sequences"] = sequences[1:]
        return {"generated_text": text, "details": details}

    async def events(
        self, events: AsyncGenerator[AnswerEvent], request: GenerationRequest
    ) -> AsyncGenerator[bytes]:
        """Yield the text as server-sent events, one for each token.

        The last token's event tells of the end, so where any may be the last, each waits for the
        next one.

        Raises:
            AppError: It failed.
        """
        answer = Answer()
        writer = TokenWriter(self._model)
        waiting: list[Choice] = []
        num_told = 0
        async with aclosing(events):
            async for event in events:
                answer.add(event)
                waiting += event.choices
                num_ready = len(waiting)
                if isinstance(event, AnswerEnd) or _may_end(request, num_told + num_ready):
                    num_ready -= 1
                for choice in waiting[:num_ready]:
                    num_told += 1
                    yield self._event(num_told, writer, choice, writer.next(choice))
                del waiting[: max(0, num_ready)]
        assert waiting, "the last token waits for the end"
        choice = waiting[0]
        last = writer.last(choice, _text(answer))
        yield self._event(num_told + 1, writer, choice, last, self._ending(answer, request))

    def _event(
        self,
        index: int,
        writer: TokenWriter,
        choice: Choice,
        token: Body,
        ending: Body | None = None,
    ) -> bytes:
        rivals = {"top_tokens": writer.rivals(choice.top)} if choice.top else {}
        return server_sent(
            {"index": index, "token": token}
            | rivals
            | (ending or {"generated_text": None, "details": None})
        )

    def _ending(self, answer: Answer, request: GenerationRequest) -> Body:
        details = {
            "finish_reason": _finish_reason(answer),
            "generated_tokens": answer.stats.completion_tokens,
            "seed": _seed(request),
            "input_length": answer.stats.prompt_tokens,
        }
        return {
            "generated_text": self._prompt + _text(answer),
            "details": details if self._with_details else None,
        }

    def _sequence(self, answer: Answer, request: GenerationRequest) -> Body:
        writer = TokenWriter(self._model)
        choices = _choices(answer)
        rivals = [writer.rivals(choice.top) for choice in choices if choice.top]
        return {
            "generated_text": self._prompt + _text(answer),
            "finish_reason": _finish_reason(answer),
            "generated_tokens": answer.stats.completion_tokens,
            "seed": _seed(request),
            "prefill": [],
            "tokens": writer.all(choices, _text(answer)),
        } | ({"top_tokens": rivals} if rivals else {})


def _may_end(request: GenerationRequest, num_tokens: int) -> bool:
    """Say whether an answer may end right after so many tokens, without a token for its end."""
    return bool(request.stop) or request.timeout_s is not None or num_tokens == request.max_tokens


def _choices(answer: Answer) -> list[Choice]:
    assert answer.end, "it is complete"
    return [*answer.choices, *answer.end.choices]


def _text(answer: Answer) -> str:
    """Return an answer's text, with the stop string, which belongs to it there."""
    return answer.content + (answer.stopped_by or "")


def _finish_reason(answer: Answer) -> str:
    if answer.reason == "length":
        return "length"
    return "eos_token" if answer.stopped_by is None else "stop_sequence"


def _seed(request: GenerationRequest) -> int | None:
    return None if request.sampling.is_greedy else request.sampling.seed
