"""Tests of deadlines, the queue's length and cancelling, batch by batch, without a model."""

import queue
import time
from typing import cast

import pytest

from runtime.engine.engine import Engine
from runtime.engine.limits import DeadlineError, QueueFullError
from runtime.engine.model import Model
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest, TextDelta
from tests.runtime.engine.fake_runner import FakeRunner
from tests.runtime.engine.stepped_runner import SteppedRunner

Events = queue.Queue[Event]


class _LineModel:
    """Writes letters, and a line's end for every third token; never ends by itself."""

    generates_text = True

    def piece(self, token: int) -> bytes:
        return b"\n" if token % 3 == 0 else bytes([97 + token % 26])

    def is_end_of_generation(self, token: int) -> bool:
        return False


def _engine(runner: FakeRunner, max_running: int = 2, max_queue: int | None = None) -> Engine:
    engine = Engine(
        lambda: (cast(Model, _LineModel()), runner), max_running=max_running, max_queue=max_queue
    )
    engine.start_thread()
    engine.wait_until_loaded()
    return engine


def _end(events: Events) -> tuple[str, Event]:
    text = ""
    while isinstance(event := events.get(timeout=10), TextDelta):
        text += event.text
    return text, event


def _request(
    prompt: list[int],
    max_tokens: int = 1000,
    *,
    timeout_s: float | None = None,
    max_generation_s: float | None = None,
) -> GenerationRequest:
    return GenerationRequest(
        prompt, max_tokens=max_tokens, timeout_s=timeout_s, max_generation_s=max_generation_s
    )


def test_a_full_queue_refuses_at_once() -> None:
    """As many as may run and wait are taken, the next is refused, and an end makes room."""
    runner = SteppedRunner(n_ctx=5000)
    engine = _engine(runner, max_running=1, max_queue=2)
    answers = [Events() for _ in range(4)]
    first = engine.submit(_request([1]), answers[0].put)
    for events in answers[1:3]:
        engine.submit(_request([2], 3), events.put)
    with pytest.raises(QueueFullError, match="3 requests"):
        engine.submit(_request([3], 3), answers[3].put)
    runner.wait_for_batch()
    engine.cancel(first)
    runner.step()
    engine.submit(_request([3], 3), answers[3].put)
    runner.let_go()
    ends = [_end(events)[1] for events in answers]
    engine.stop()
    assert [cast(Finished, end).reason for end in ends] == ["cancelled", *["length"] * 3]
    assert runner.num_samplers == 0


def test_a_cancelled_request_is_not_in_the_next_batch() -> None:
    """What is cancelled during one batch computes nothing in the next and holds no cell."""
    runner = SteppedRunner(n_ctx=500)
    engine = _engine(runner)
    gone, stays = Events(), Events()
    sequence = engine.submit(_request([1, 2, 3]), gone.put)
    engine.submit(_request([4, 5, 6, 7], 8), stays.put)
    runner.wait_for_batch()
    while len(runner.history) < 3:
        runner.step()
    seq_ids = {piece.seq_id for piece in runner.history[-1]}
    assert len(seq_ids) == 2
    engine.cancel(sequence)
    num_batches = len(runner.history)
    runner.step()
    # That batch was already under way; the one that waits now is without the cancelled request.
    assert engine.metrics.num_cells_running == len(runner.tokens(_number_of(runner, [4, 5, 6, 7])))
    assert engine.metrics.num_finished["cancelled"] == 1
    runner.let_go()
    assert cast(Finished, _end(stays)[1]).reason == "length"
    engine.stop()
    later = runner.history[num_batches + 1 :]
    assert later
    assert all(len(batch) == 1 for batch in later)
    assert cast(Finished, _end(gone)[1]).reason == "cancelled"


def _number_of(runner: FakeRunner, prompt: list[int]) -> int:
    """Return the number of the sequence that begins with a prompt."""
    return next(one for one in runner.cells if runner.tokens(one)[: len(prompt)] == prompt)


def test_a_waiting_request_can_be_cancelled() -> None:
    """One that never started ends, too, and takes no sampler and no cell."""
    runner = SteppedRunner(n_ctx=500)
    engine = _engine(runner, max_running=1)
    first, second = Events(), Events()
    engine.submit(_request([1], 3), first.put)
    waiting = engine.submit(_request([2], 3), second.put)
    runner.wait_for_batch()
    engine.cancel(waiting)
    runner.let_go()
    assert cast(Finished, _end(second)[1]).stats.completion_tokens == 0
    _end(first)
    engine.stop()
    assert all(piece.tokens != [2] for batch in runner.history for piece in batch)


def test_a_request_that_waits_too_long_fails() -> None:
    """Without a token before the deadline there is an error, and what was computed is kept."""
    runner = SteppedRunner(n_ctx=500, n_batch=4)
    engine = _engine(runner, max_running=1)
    reading, waiting = Events(), Events()
    engine.submit(_request(list(range(20)), timeout_s=0.05), reading.put)
    engine.submit(_request([2], timeout_s=0.05), waiting.put)
    runner.wait_for_batch()
    time.sleep(0.06)
    runner.let_go()
    for events in (reading, waiting):
        end = _end(events)[1]
        assert isinstance(end, Failed)
        assert isinstance(end.error, DeadlineError)
    metrics = engine.metrics
    engine.stop()
    assert metrics.num_finished == {"timeout": 2}
    assert metrics.num_cells_running == metrics.num_waiting == 0
    assert metrics.num_cells_used == 4


def test_a_deadline_ends_an_answer_that_has_begun() -> None:
    """With tokens before the deadline, the answer ends like one that reached its length."""
    engine = _engine(FakeRunner(n_ctx=1_000_000))
    events = Events()
    engine.submit(_request([1], 900_000, timeout_s=0.2), events.put)
    text, end = _end(events)
    engine.stop()
    assert isinstance(end, Finished)
    assert end.reason == "length"
    assert 0 < end.stats.completion_tokens == len(text) < 900_000


def test_the_time_for_generating_ends_an_answer_at_a_line() -> None:
    """After that time the next line's end is the last character."""
    engine = _engine(FakeRunner(n_ctx=1_000_000))
    events = Events()
    engine.submit(_request([1], 900_000, max_generation_s=0.1), events.put)
    text, end = _end(events)
    engine.stop()
    assert isinstance(end, Finished)
    assert end.reason == "length"
    assert end.stats.generation_s >= 0.1
    assert text.endswith("\n")
