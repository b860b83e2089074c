"""Tests of which tokens go into a batch, with a runner that checks the KV cache's rules."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.scheduler import Scheduler
from runtime.engine.sequence import GenerationRequest, Sequence
from tests.runtime.engine.fake_runner import FakeRunner


def _sequence(prompt: list[int], max_tokens: int = 4) -> Sequence:
    return Sequence(GenerationRequest(prompt, max_tokens=max_tokens), lambda _: None)


def _scheduler(runner: FakeRunner, max_running: int = 4) -> Scheduler:
    return Scheduler(runner, PrefixCache(runner), max_running=max_running)


def _step(runner: FakeRunner, scheduler: Scheduler) -> None:
    """Compute one batch and finish what is done, as the engine does."""
    works = scheduler.schedule()
    assert works, "work is left, and none was scheduled"
    runner.decode([work.slice for work in works])
    scheduler.advance(works)
    for work in works:
        sequence = work.sequence
        if work.slice.wants_logits:
            assert sequence.seq_id is not None
            sequence.tokens.append(runner.continuation(runner.tokens(sequence.seq_id)))
            limit = sequence.request.max_tokens
            if sequence.num_completion_tokens == limit or len(sequence.tokens) >= runner.n_ctx:
                scheduler.remove(sequence)


def test_decoding_comes_before_prefill() -> None:
    """A long prompt does not keep a running sequence from its next token."""
    runner = FakeRunner(n_batch=8)
    scheduler = _scheduler(runner)
    scheduler.add(_sequence([1, 2]))
    _step(runner, scheduler)
    scheduler.add(_sequence(list(range(30))))
    works = scheduler.schedule()
    assert [len(work.slice.tokens) for work in works] == [1, 7]
    assert [work.slice.wants_logits for work in works] == [True, False]


def test_a_prompt_is_computed_in_chunks() -> None:
    """A prompt longer than the batch takes several, and only the last gives logits."""
    runner = FakeRunner(n_batch=8)
    scheduler = _scheduler(runner)
    scheduler.add(_sequence(list(range(20))))
    for _ in range(3):
        _step(runner, scheduler)
    shapes = [(len(batch[0].tokens), batch[0].wants_logits) for batch in runner.history]
    assert shapes == [(8, False), (8, False), (4, True)]


def test_no_more_run_than_allowed() -> None:
    """Further requests wait their turn, in order."""
    runner = FakeRunner()
    scheduler = _scheduler(runner, max_running=2)
    sequences = [_sequence([number]) for number in range(3)]
    for sequence in sequences:
        scheduler.add(sequence)
    scheduler.schedule()
    assert scheduler.running == sequences[:2]
    assert list(scheduler.waiting) == sequences[2:]


def test_a_cancelled_request_leaves_its_cells_to_the_next() -> None:
    """What a cancelled request computed is found by the next that begins the same."""
    runner = FakeRunner()
    scheduler = _scheduler(runner)
    first = _sequence([1, 2, 3])
    scheduler.add(first)
    _step(runner, scheduler)
    scheduler.remove(first)
    second = _sequence([1, 2, 3, 4])
    scheduler.add(second)
    scheduler.schedule()
    assert second.num_cached_tokens == 3


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32),
    n_ctx=st.integers(12, 80),
    n_batch=st.integers(1, 24),
    n_seq_max=st.integers(4, 8),
    can_cut_memory=st.booleans(),
)
def test_every_request_gets_its_own_text(
    seed: int, n_ctx: int, n_batch: int, n_seq_max: int, can_cut_memory: bool
) -> None:
    """Whatever arrives, is cancelled, evicted or put back: every answer is as if it ran alone."""
    chance = random.Random(seed)
    runner = FakeRunner(
        n_ctx=n_ctx,
        n_batch=max(n_batch, 4),
        n_seq_max=n_seq_max,
        can_cut_memory=can_cut_memory,
    )
    scheduler = _scheduler(runner)
    asked: list[Sequence] = []
    cancelled: list[Sequence] = []
    for _ in range(25):
        if chance.random() < 0.5:
            length = chance.randint(1, n_ctx - 1)
            sequence = _sequence(
                [chance.randint(0, 1) for _ in range(length)], chance.randint(1, 9)
            )
            asked.append(sequence)
            scheduler.add(sequence)
        unfinished = list(scheduler.sequences())
        if unfinished and chance.random() < 0.1:
            victim = chance.choice(unfinished)
            scheduler.remove(victim)
            cancelled.append(victim)
        if scheduler.has_work:
            _step(runner, scheduler)
    for _ in range(10_000):
        if not scheduler.has_work:
            break
        _step(runner, scheduler)
    assert not scheduler.has_work
    for sequence in asked:
        if sequence not in cancelled:
            prompt = sequence.request.prompt
            generated = sequence.tokens[len(prompt) :]
            assert generated == runner.expected(prompt, len(generated))
            room = n_ctx - len(prompt)
            assert len(generated) == min(sequence.request.max_tokens or 0, room)
