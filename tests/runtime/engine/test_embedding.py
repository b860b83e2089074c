"""Tests of embedding requests with a runner that needs no model."""

import math
import queue
from typing import cast

import pytest

from runtime.engine.embedding import (
    BATCH_TOKENS,
    Embedded,
    EmbeddingEvent,
    EmbeddingJob,
    EmbeddingQueue,
    EmbeddingRequest,
    InputSizeError,
    check_request,
    normalized,
)
from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest, TextDelta
from runtime.errors import AppError, RequestError
from tests.runtime.engine.fake_runner import FakeRunner
from tests.runtime.engine.test_engine import FakeModel


def _job(inputs: list[list[int]]) -> tuple[EmbeddingJob, list[EmbeddingEvent]]:
    events: list[EmbeddingEvent] = []
    return EmbeddingJob(EmbeddingRequest(inputs), events.append), events


def _vectors(events: list[EmbeddingEvent]) -> list[list[float]]:
    (event,) = events
    assert isinstance(event, Embedded)
    return [embedding.vectors[0] for embedding in event.embeddings]


def test_inputs_share_batches_and_keep_their_order() -> None:
    """Inputs are packed up to a batch's tokens and inputs, and each gets its own vector."""
    runner = FakeRunner()
    ended: list[EmbeddingJob] = []
    jobs = EmbeddingQueue(runner, ended.append)
    inputs = [[number] * (number % 60 + 1) for number in range(40)] + [[1] * 200, [2]]
    job, events = _job(inputs)
    jobs.add(job)
    while jobs.has_work:
        jobs.step()
    assert _vectors(events) == [runner.vector(tokens) for tokens in inputs]
    assert [tokens for batch in runner.embedded for tokens in batch] == inputs
    assert len(runner.embedded) < len(inputs) / 2
    assert ended == [job]
    assert [[1] * 200] in runner.embedded


def test_a_single_input_does_not_wait_for_a_thousand() -> None:
    """Jobs take turns, so a small one is done with the first batch after it came."""
    runner = FakeRunner()
    ended: list[EmbeddingJob] = []
    jobs = EmbeddingQueue(runner, ended.append)
    many, _ = _job([[number] * 20 for number in range(1000)])
    jobs.add(many)
    jobs.step()
    one, events = _job([[7, 7]])
    jobs.add(one)
    jobs.step()
    jobs.step()
    assert _vectors(events) == [[14.0, 2.0]]
    assert sum(map(len, runner.embedded[0])) <= BATCH_TOKENS
    assert ended == [one]


def test_a_cancelled_job_computes_nothing_more() -> None:
    """What is cancelled leaves the queue, and its caller hears nothing."""
    runner = FakeRunner()
    ended: list[EmbeddingJob] = []
    jobs = EmbeddingQueue(runner, ended.append)
    job, events = _job([[1] * 100] * 50)
    jobs.add(job)
    jobs.step()
    jobs.cancel(job)
    jobs.cancel(job)
    assert not jobs.has_work
    assert (events, len(runner.embedded), ended) == ([], 1, [job])


class _FailingRunner(FakeRunner):
    def embed(self, inputs: object) -> list[list[list[float]]]:
        raise AppError("No memory.")


def test_a_failed_batch_fails_its_jobs() -> None:
    """Every job with an input in the batch is told once, and leaves."""
    ended: list[EmbeddingJob] = []
    jobs = EmbeddingQueue(_FailingRunner(), ended.append)
    one, first = _job([[1]] * 20)
    other, second = _job([[2]])
    jobs.add(one)
    jobs.add(other)
    jobs.step()
    assert not jobs.has_work
    for events in (first, second):
        assert [type(event) for event in events] == [Failed]
    assert ended == [one, other]


def test_text_goes_on_between_batches() -> None:
    """A thousand inputs do not stall an answer: its tokens come between their batches."""
    runner = FakeRunner(n_ctx=10_000, n_batch=64)
    engine = Engine(lambda: (cast(Model, FakeModel()), runner), max_running=1)
    engine.start_thread()
    embedded: queue.Queue[EmbeddingEvent] = queue.Queue()
    text: queue.Queue[Event] = queue.Queue()
    inputs = [[number % 90] * 100 for number in range(2000)]
    engine.embed(EmbeddingRequest(inputs), embedded.put)
    engine.submit(GenerationRequest([1, 2], max_tokens=8), text.put)
    while isinstance(event := text.get(timeout=20), TextDelta):
        pass
    assert isinstance(event, Finished)
    assert embedded.empty()
    done = embedded.get(timeout=60)
    engine.stop()
    assert isinstance(done, Embedded)
    assert len(done.embeddings) == 2000


def test_an_engine_that_stops_says_so() -> None:
    """Who waits for embeddings is told when the engine ends first."""
    engine = Engine(lambda: (cast(Model, FakeModel()), FakeRunner()), max_running=1)
    engine.start_thread()
    events: queue.Queue[EmbeddingEvent] = queue.Queue()
    engine.embed(EmbeddingRequest([[1] * 100] * 50_000), events.put)
    engine.stop()
    # Where the engine was quicker than this test, nothing is left to say.
    event = events.get(timeout=10) if not events.empty() else None
    assert event is None or isinstance(event, Failed | Embedded)


@pytest.mark.parametrize(
    ("inputs", "norm", "sentence"),
    [
        ([], 2, "no input"),
        ([[1], []], 2, "Input 1 is empty"),
        ([[1, 100]], 2, "0 to 99"),
        ([[-1]], 2, "0 to 99"),
        ([[1] * 201], 2, "201 tokens, and at most 200"),
        ([[1]], 1001, "embd_normalize is 1001"),
        ([[1]], -2, "from -1 to 1000"),
    ],
)
def test_unusable_inputs_are_refused(inputs: list[list[int]], norm: int, sentence: str) -> None:
    """What cannot be embedded is named, with the counts."""
    with pytest.raises(RequestError, match=sentence) as caught:
        check_request(EmbeddingRequest(inputs, norm), FakeRunner().embeds, 100)
    assert isinstance(caught.value, InputSizeError) == ("201" in sentence)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (-1, [3.0, -4.0]),
        (0, [3 * 8190.0, -32760.0]),
        (1, [3 / 7, -4 / 7]),
        (2, [0.6, -0.8]),
        (3, [3 / 91 ** (1 / 3), -4 / 91 ** (1 / 3)]),
        (1000, [0.75, -1.0]),
    ],
)
def test_norms(kind: int, expected: list[float]) -> None:
    """Each of llama.cpp's numbers scales by its norm, and a zero vector stays one."""
    scaled = normalized([3.0, -4.0], kind)
    assert all(math.isclose(*pair) for pair in zip(scaled, expected, strict=True))
    assert normalized([0.0, 0.0], kind) == [0.0, 0.0]
