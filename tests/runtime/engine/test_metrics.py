"""Tests of what the engine counts, with a runner that needs no model."""

import queue
from typing import cast

from runtime.engine.engine import Engine
from runtime.engine.metrics import Histogram
from runtime.engine.model import Model
from runtime.engine.sequence import Event, Finished, GenerationRequest
from tests.runtime.engine.fake_runner import FakeRunner


class _EndlessModel:
    """Writes letters, and never ends by itself."""

    generates_text = True

    def piece(self, token: int) -> bytes:
        return bytes([97 + token % 26])

    def is_end_of_generation(self, token: int) -> bool:
        return False


def _engine(runner: FakeRunner, max_running: int = 3) -> Engine:
    engine = Engine(lambda: (cast(Model, _EndlessModel()), runner), max_running=max_running)
    engine.start_thread()
    engine.wait_until_loaded()
    return engine


def _wait(events: "queue.Queue[Event]") -> Finished:
    while not isinstance(event := events.get(timeout=10), Finished):
        pass
    return event


def test_values_are_counted_in_their_buckets() -> None:
    """A value on a bound belongs to that bound's bucket, one above all to the last."""
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 9.0):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 1]
    assert (histogram.count, histogram.total) == (5, 14.0)


def test_a_request_is_counted_when_its_end_is_told() -> None:
    """Whoever hears of an end finds it counted, with every token and nothing running."""
    runner = FakeRunner()
    engine = _engine(runner)
    for round_number in (1, 2):
        events: queue.Queue[Event] = queue.Queue()
        engine.submit(GenerationRequest([1, 2, 3, 4, 5], max_tokens=4), events.put)
        _wait(events)
        metrics = engine.metrics
        assert metrics.num_finished == {"length": round_number}
        assert metrics.num_running == metrics.num_waiting == metrics.num_cells_running == 0
        assert metrics.generated_tokens == 4 * round_number
        assert metrics.decoded_tokens == 3 * round_number
        assert metrics.time_to_first_token_s.count == metrics.queue_s.count == round_number
    engine.stop()
    # The second time, four of the five prompt tokens are found.
    assert (metrics.prompt_tokens, metrics.cached_prompt_tokens) == (6, 4)
    assert metrics.batch_tokens.total == runner.num_computed
    assert metrics.batch_tokens.count == len(runner.history)
    assert metrics.longest_sequence == 9
    assert metrics.num_cells == runner.n_ctx
    assert metrics.num_cells_used == runner.num_cells_used == 8
    assert metrics.num_cached_sequences == 1
    assert metrics.prompt_s > 0
    assert metrics.decode_s > 0


def test_preemptions_and_evictions_are_counted() -> None:
    """Requests that outgrow the cells put each other back, and what is kept gives way."""
    runner = FakeRunner(n_ctx=40, n_seq_max=4)
    engine = _engine(runner)
    answers: list[queue.Queue[Event]] = [queue.Queue() for _ in range(6)]
    for number, events in enumerate(answers):
        engine.submit(GenerationRequest([number] * 5, max_tokens=20), events.put)
    for events in answers:
        _wait(events)
    metrics = engine.metrics
    engine.stop()
    assert metrics.num_preemptions > 0
    assert metrics.num_evictions > 0
    assert metrics.num_finished == {"length": 6}
    assert metrics.num_batch_sequences == sum(len(batch) for batch in runner.history)


def test_requests_beyond_those_worked_on_are_waiting() -> None:
    """Every unfinished request is either running or waiting, and at the stop all are told."""
    engine = _engine(FakeRunner(n_ctx=200_000), max_running=1)
    answers: list[queue.Queue[Event]] = [queue.Queue() for _ in range(4)]
    for events in answers:
        engine.submit(GenerationRequest([1], max_tokens=190_000), events.put)
    answers[0].get(timeout=10)
    metrics = engine.metrics
    engine.stop()
    assert metrics.num_running + metrics.num_waiting == 4
    assert metrics.num_waiting >= 3
    assert [_wait(events).reason for events in answers] == ["cancelled"] * 4
    assert engine.metrics.num_waiting == 0
