"""Tests of the engine's thread with a runner that needs no model."""

import queue
from collections.abc import Sequence as ReadOnlyList
from typing import cast

import pytest

from runtime.engine.context_size import ContextSizeError
from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest, TextDelta
from runtime.engine.types import BatchSlice
from runtime.errors import AppError, DamagedFileError, RequestError
from tests.runtime.engine.fake_runner import FakeRunner

END_TOKEN = 49


class FakeModel:
    """Writes each token as a letter, and ends with `END_TOKEN`."""

    generates_text = True
    n_vocab = 100

    def piece(self, token: int) -> bytes:
        return bytes([97 + token % 26])

    def is_end_of_generation(self, token: int) -> bool:
        return token == END_TOKEN


def _engine(runner: FakeRunner) -> Engine:
    engine = Engine(lambda: (cast(Model, FakeModel()), runner), max_running=3)
    engine.start_thread()
    return engine


def _answer(events: "queue.Queue[Event]") -> tuple[str, Finished]:
    text = ""
    while isinstance(event := events.get(timeout=10), TextDelta):
        text += event.text
    assert isinstance(event, Finished)
    return text, event


def _expected(runner: FakeRunner, prompt: list[int], count: int) -> str:
    tokens = runner.expected(prompt, count)
    if END_TOKEN in tokens:
        tokens = tokens[: tokens.index(END_TOKEN)]
    return "".join(FakeModel().piece(token).decode() for token in tokens)


def test_many_requests_are_answered_at_once() -> None:
    """More requests than run at a time all get their own text, and every sampler is freed."""
    runner = FakeRunner()
    engine = _engine(runner)
    prompts = [[number, number + 1] for number in range(8)]
    answers: list[queue.Queue[Event]] = [queue.Queue() for _ in prompts]
    for prompt, events in zip(prompts, answers, strict=True):
        engine.submit(GenerationRequest(prompt, max_tokens=6), events.put)
    for prompt, events in zip(prompts, answers, strict=True):
        assert _answer(events)[0] == _expected(runner, prompt, 6)
    engine.stop()
    assert runner.num_samplers == 0


def test_tokens_that_no_text_tells_come_with_the_end() -> None:
    """The one with which the model ended, and those of a stop string; so all are told once."""
    runner = FakeRunner()
    engine = _engine(runner)
    prompt = next(
        prompt for prompt in ([1, n] for n in range(99)) if END_TOKEN in runner.expected(prompt, 8)
    )
    tokens = runner.expected(prompt, 8)
    tokens = tokens[: tokens.index(END_TOKEN) + 1]
    letters = "".join(FakeModel().piece(token).decode() for token in tokens[:-1])
    for stop, told in ("", [END_TOKEN]), (letters[:1], tokens[:1]):
        events: queue.Queue[Event] = queue.Queue()
        engine.submit(GenerationRequest(prompt, stop=(stop,)), events.put)
        assert list(_answer(events)[1].tokens) == told
    engine.stop()


def test_the_context_ends_an_answer() -> None:
    """An answer without a limit ends when the context is full."""
    runner = FakeRunner(n_ctx=12)
    engine = _engine(runner)
    events: queue.Queue[Event] = queue.Queue()
    engine.submit(GenerationRequest([7, 7, 7]), events.put)
    _, finished = _answer(events)
    engine.stop()
    if END_TOKEN not in runner.expected([7, 7, 7], 9):
        assert finished.reason == "length"
        assert finished.stats.completion_tokens == 9


def test_a_cancelled_request_ends() -> None:
    """Cancelling ends a request early, and the engine answers the next."""
    runner = FakeRunner(n_ctx=100_000, n_batch=16)
    engine = _engine(runner)
    events: queue.Queue[Event] = queue.Queue()
    sequence = engine.submit(GenerationRequest([1], max_tokens=90_000), events.put)
    engine.cancel(sequence)
    reason = _answer(events)[1].reason
    assert reason in ("cancelled", "stop")
    later: queue.Queue[Event] = queue.Queue()
    engine.submit(GenerationRequest([2], max_tokens=1), later.put)
    _answer(later)
    engine.stop()
    assert runner.num_samplers == 0


@pytest.mark.parametrize(
    ("prompt", "error"), [([], RequestError), (list(range(64)), ContextSizeError)]
)
def test_unusable_prompts_are_refused(prompt: list[int], error: type[Exception]) -> None:
    """An empty prompt, and one that leaves no room, are refused at once."""
    engine = _engine(FakeRunner(n_ctx=64))
    with pytest.raises(error, match="prompt"):
        engine.submit(GenerationRequest(prompt), lambda _: None)
    engine.stop()


def test_a_failed_load_is_told_to_whoever_waits() -> None:
    """The error of loading reaches the caller, not the engine's thread alone."""

    def load() -> tuple[Model, FakeRunner]:
        raise DamagedFileError("The weights are cut short.")

    engine = Engine(load, max_running=1)
    engine.start_thread()
    with pytest.raises(DamagedFileError, match="cut short"):
        engine.wait_until_loaded()
    assert not engine.is_ready


class _BrokenRunner(FakeRunner):
    """Fails in a way that nobody foresaw."""

    def decode(self, batch: ReadOnlyList[BatchSlice]) -> None:
        raise ZeroDivisionError


def test_a_defect_leaves_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    """The thread dies of it; requests end with an error, and later ones are refused."""
    engine = _engine(_BrokenRunner())
    events: queue.Queue[Event] = queue.Queue()
    engine.submit(GenerationRequest([1, 2], max_tokens=6), events.put)
    told = events.get(timeout=10)
    assert isinstance(told, Failed)
    assert "The engine failed" in str(told.error)
    assert not engine.is_ready
    with pytest.raises(AppError, match="The engine failed"):
        engine.submit(GenerationRequest([1, 2]), events.put)
    assert "ZeroDivisionError" in caplog.text
