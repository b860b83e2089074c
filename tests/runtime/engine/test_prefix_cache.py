"""Tests of what finished sequences can be reused for."""

from runtime.engine.prefix_cache import Lease, PrefixCache
from runtime.engine.types import BatchSlice
from tests.runtime.engine.fake_runner import FakeRunner


def _finished(runner: FakeRunner, cache: PrefixCache, tokens: list[int]) -> int:
    lease = cache.acquire(tokens)
    assert lease is not None
    start = lease.num_cached_tokens
    runner.decode([BatchSlice(lease.seq_id, start, tokens[start:], False)])
    cache.release(lease.seq_id, tokens)
    return lease.seq_id


def test_a_conversation_continues_in_its_own_cells() -> None:
    """A prompt that begins with a whole finished sequence takes that sequence over."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    seq_id = _finished(runner, cache, [1, 2, 3])
    assert cache.acquire([1, 2, 3, 4, 5]) == Lease(seq_id, 3)
    assert cache.num_cells == 0


def test_a_common_prefix_is_shared() -> None:
    """A prompt that shares a beginning gets those cells, and the finished sequence stays."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    seq_id = _finished(runner, cache, [1, 2, 3, 4])
    lease = cache.acquire([1, 2, 9, 9])
    assert lease is not None
    assert lease.num_cached_tokens == 2
    assert lease.seq_id != seq_id
    assert runner.cells[lease.seq_id] == [1, 2]
    assert cache.num_cells == 4


def test_the_same_prompt_leaves_one_token_to_compute() -> None:
    """The last token of a known prompt is computed again, for its logits."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    _finished(runner, cache, [1, 2, 3, 7])
    lease = cache.acquire([1, 2, 3])
    assert lease is not None
    assert lease.num_cached_tokens == 2


def test_the_least_recently_used_sequence_is_evicted() -> None:
    """When numbers run out, the sequence that was not used for longest goes."""
    runner = FakeRunner(n_seq_max=2)
    cache = PrefixCache(runner)
    old = _finished(runner, cache, [1, 1, 1])
    _finished(runner, cache, [2, 2, 2])
    lease = cache.acquire([3, 3, 3])
    assert lease == Lease(old, 0)
    assert runner.cells[old] == []


def test_the_last_number_is_taken_over_and_cut() -> None:
    """With one number in all, the sequence that matches in part is shortened and reused."""
    runner = FakeRunner(n_seq_max=1)
    cache = PrefixCache(runner)
    seq_id = _finished(runner, cache, [1, 2, 3, 4])
    assert cache.acquire([1, 2, 9]) == Lease(seq_id, 2)
    assert runner.cells[seq_id] == [1, 2]


def test_no_number_is_left() -> None:
    """While all sequences run, nothing can be handed out."""
    cache = PrefixCache(FakeRunner(n_seq_max=1))
    assert cache.acquire([1]) is not None
    assert cache.acquire([2]) is None


def test_memory_that_cannot_be_cut_is_reused_whole_or_not_at_all() -> None:
    """A recurrent state serves a prompt that continues it, and no other."""
    runner = FakeRunner(can_cut_memory=False)
    cache = PrefixCache(runner)
    seq_id = _finished(runner, cache, [1, 2, 3])
    partial = cache.acquire([1, 2, 9])
    assert partial is not None
    assert partial.num_cached_tokens == 0
    assert cache.acquire([1, 2, 3, 4]) == Lease(seq_id, 3)
