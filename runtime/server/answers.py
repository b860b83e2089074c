"""A task's answers: as events while they grow, and whole."""

import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
from msgspec.structs import replace

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta, ToolCallDelta
from runtime.chat.formats.output_format import OutputReader
from runtime.engine.engine import Engine
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.sequence import Failed, Finished, Progress, Stats, TextDelta
from runtime.server.generation import generate
from runtime.server.task import Task


class AnswerDelta(msgspec.Struct, frozen=True):
    """More of an answer.

    Args:
        index: The answer's number, from 0.
        deltas: What was read; a tool call's first delta has an id.
        tokens: The tokens generated since the answer's last delta.
        choices: How likely they were, where that was asked for.
        stats: What it took up to now, where that was asked for.
        num_prompt_computed: Tokens of the prompt that are computed, where that was asked for; such
            a delta has nothing else of the answer.
    """

    index: int
    deltas: tuple[Delta, ...]
    tokens: tuple[int, ...]
    choices: tuple[Choice, ...]
    stats: Stats | None = None
    num_prompt_computed: int | None = None

    @property
    def text(self) -> str:
        """What it adds to the answer's text, reasoning and calls left out."""
        return "".join(delta.text for delta in self.deltas if isinstance(delta, ContentDelta))


class AnswerEnd(msgspec.Struct, frozen=True):
    """An answer is complete.

    Args:
        index: The answer's number, from 0.
        reason: `stop`, `length` or `tool_calls`.
        stats: What it took.
        stopped_by: The stop string that ended it; None where none did.
        tokens: See `Finished`.
        choices: See `Finished`.
    """

    index: int
    reason: str
    stats: Stats
    stopped_by: str | None
    tokens: tuple[int, ...] = ()
    choices: tuple[Choice, ...] = ()


AnswerEvent = AnswerDelta | AnswerEnd


class ToolCall(msgspec.Struct):
    """A tool call, as far as it came; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str = ""

    def arguments_object(self) -> dict[str, Any] | None:
        """Return the arguments as an object; None where the answer ended before they did."""
        try:
            return msgspec.json.decode(self.arguments or "{}", type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            return None


class Answer(msgspec.Struct):
    """A whole answer; see `AnswerDelta` and `AnswerEnd`."""

    reasoning: str = ""
    content: str = ""
    tool_calls: list[ToolCall] = []
    tokens: list[int] = []
    choices: list[Choice] = []
    end: AnswerEnd | None = None

    @property
    def reason(self) -> str:
        """Why it ended."""
        assert self.end, "read when it is complete"
        return self.end.reason

    @property
    def stats(self) -> Stats:
        """What it took."""
        assert self.end, "read when it is complete"
        return self.end.stats

    @property
    def stopped_by(self) -> str | None:
        """The stop string that ended it."""
        assert self.end, "read when it is complete"
        return self.end.stopped_by

    def add(self, event: AnswerEvent) -> None:
        """Take the answer's next event."""
        if isinstance(event, AnswerEnd):
            self.end = event
            return
        self.tokens += event.tokens
        self.choices += event.choices
        for delta in event.deltas:
            match delta:
                case ReasoningDelta(text):
                    self.reasoning += text
                case ContentDelta(text):
                    self.content += text
                case ToolCallDelta(index, name, arguments, id):
                    if index == len(self.tool_calls):
                        self.tool_calls.append(ToolCall(id, name))
                    self.tool_calls[index].arguments += arguments


async def answer_events(engine: Engine, task: Task) -> AsyncGenerator[AnswerEvent]:
    """Yield the events of a task's answers, mingled as they come.

    Closing the generator stops the engine's work on all of them.

    Raises:
        AppError: One failed; the others are given up.
    """
    growing = [_GrowingAnswer(index, task.make_reader()) for index in range(len(task.requests))]
    async with aclosing(generate(engine, task.requests)) as events:
        async for event in events:
            answer = growing[event.index]
            match event.event:
                case TextDelta():
                    if delta := answer.read(event.event):
                        yield delta
                case Progress(num_computed, stats):
                    yield AnswerDelta(event.index, (), (), (), stats, num_computed)
                case Finished():
                    if delta := answer.rest():
                        yield delta
                    yield answer.end(event.event)
                case Failed(error):
                    raise error


async def whole_answers(engine: Engine, task: Task) -> list[Answer]:
    """Return a task's answers once all are complete.

    Raises:
        AppError: One failed; the others are given up.
    """
    answers = [Answer() for _ in task.requests]
    async with aclosing(answer_events(engine, task)) as events:
        async for event in events:
            answers[event.index].add(event)
    return answers


def in_all(stats: Sequence[Stats], num_choices: int | None = None) -> Stats:
    """Return what all answers took together; they run side by side.

    Args:
        stats: Of each answer.
        num_choices: How many that follow one another have one prompt; None for all.
    """
    firsts = range(0, len(stats), num_choices or len(stats))
    return Stats(
        prompt_tokens=sum(stats[first].prompt_tokens for first in firsts),
        # The answer that came first found what was there; the others found that one's prompt.
        cached_tokens=sum(
            min(one.cached_tokens for one in stats[first : first + firsts.step]) for first in firsts
        ),
        completion_tokens=sum(one.completion_tokens for one in stats),
        queue_s=min(one.queue_s for one in stats),
        prompt_s=max(one.prompt_s for one in stats),
        time_to_first_token_s=min(one.time_to_first_token_s for one in stats),
        generation_s=max(one.generation_s for one in stats),
        drafted_tokens=sum(one.drafted_tokens for one in stats),
        accepted_tokens=sum(one.accepted_tokens for one in stats),
    )


class _GrowingAnswer:
    """What of an answer was read, and not yet told."""

    def __init__(self, index: int, reader: OutputReader) -> None:
        self._index = index
        self._reader = reader
        self._tokens: list[int] = []
        self._choices: list[Choice] = []
        self._stats: Stats | None = None
        self._has_calls = False

    def read(self, delta: TextDelta) -> AnswerDelta | None:
        """Take more text, and return what became certain with it."""
        self._tokens += delta.tokens
        self._choices += delta.choices
        self._stats = delta.stats
        return self._told(self._reader.feed(delta.text))

    def rest(self) -> AnswerDelta | None:
        """Return what was held back, now that the text is over."""
        deltas = self._reader.finish()
        if deltas or not self._tokens:
            return self._told(deltas)
        return self._told([ContentDelta("")])

    def end(self, finished: Finished) -> AnswerEnd:
        """Return the answer's end."""
        is_call = self._has_calls and finished.reason == "stop"
        reason = "tool_calls" if is_call else finished.reason
        return AnswerEnd(
            self._index,
            reason,
            finished.stats,
            finished.stopped_by,
            finished.tokens,
            finished.choices,
        )

    def _told(self, deltas: Sequence[Delta]) -> AnswerDelta | None:
        if not deltas:
            return None
        told = AnswerDelta(
            self._index,
            tuple(map(self._with_id, deltas)),
            tuple(self._tokens),
            tuple(self._choices),
            self._stats,
        )
        self._tokens.clear()
        self._choices.clear()
        return told

    def _with_id(self, delta: Delta) -> Delta:
        if not (isinstance(delta, ToolCallDelta) and delta.name):
            return delta
        self._has_calls = True
        return replace(delta, id=delta.id or f"call_{uuid.uuid4().hex[:24]}")
