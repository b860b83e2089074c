"""Tests of what finished and running sequences can be reused for."""

import pytest

from runtime.engine.adapters import NO_ADAPTERS
from runtime.engine.pins import Pins
from runtime.engine.prefix_cache import Lease, PrefixCache
from runtime.engine.types import BatchSlice
from tests.runtime.engine.fake_runner import FakeRunner


def _running(runner: FakeRunner, cache: PrefixCache, tokens: list[int]) -> Lease:
    lease = cache.acquire(tokens)
    assert lease is not None
    start = lease.num_cached_tokens
    runner.decode([BatchSlice(lease.seq_id, start, tokens[start:], False)])
    cache.extend(lease.seq_id, tokens[start:])
    return lease


def _finished(runner: FakeRunner, cache: PrefixCache, tokens: list[int]) -> int:
    lease = _running(runner, cache, tokens)
    cache.release(lease.seq_id)
    return lease.seq_id


def test_a_conversation_continues_in_its_own_cells() -> None:
    """A prompt that begins with a whole finished sequence takes that sequence over."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    seq_id = _finished(runner, cache, [1, 2, 3])
    assert cache.acquire([1, 2, 3, 4, 5]) == Lease(seq_id, 3)
    assert cache.num_cells == cache.num_leased_cells == 3


def test_a_common_prefix_is_shared() -> None:
    """A prompt that shares a beginning gets those cells, which count once, and the other stays."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    seq_id = _finished(runner, cache, [1, 2, 3, 4])
    lease = _running(runner, cache, [1, 2, 9, 9])
    assert lease.num_cached_tokens == 2
    assert lease.seq_id != seq_id
    assert runner.tokens(lease.seq_id) == [1, 2, 9, 9]
    assert cache.num_cells == runner.num_cells_used == 6
    assert cache.num_leased_cells == 4


def test_running_sequences_are_shared_too() -> None:
    """What a running request has computed serves the next, and both go on from there."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    first = _running(runner, cache, [1, 2, 3, 4])
    second = _running(runner, cache, [1, 2, 3, 9])
    assert second.num_cached_tokens == 3
    assert cache.num_cells == runner.num_cells_used == 5
    cache.release(first.seq_id)
    assert cache.num_leased_cells == 4


def test_the_same_prompt_leaves_one_token_to_compute() -> None:
    """The last token of a known prompt is computed again, for its logits."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    _finished(runner, cache, [1, 2, 3, 7])
    lease = cache.acquire([1, 2, 3])
    assert lease is not None
    assert lease.num_cached_tokens == 2


def test_equal_sequences_are_kept_once() -> None:
    """The same request again, or the beginning of another, takes no number and no cells."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    for tokens in ([1, 2, 3], [1, 2, 3], [1, 2]):
        _finished(runner, cache, tokens)
    assert cache.num_cells == runner.num_cells_used == 3
    assert len(runner.cells) == 1


def test_the_least_recently_used_sequence_gives_its_number() -> None:
    """When numbers run out, the sequence that was not used for longest goes."""
    runner = FakeRunner(n_seq_max=2)
    cache = PrefixCache(runner)
    old = _finished(runner, cache, [1, 1, 1])
    _finished(runner, cache, [2, 2, 2])
    lease = cache.acquire([3, 3, 3])
    assert lease == Lease(old, 0)
    assert runner.tokens(old) == []


def test_the_least_recently_used_branch_gives_its_last_cells() -> None:
    """A prefix that others use stays; of the branch behind it goes no more than is needed."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    branch = _finished(runner, cache, [1, 1, 1, 2, 2, 2])
    _finished(runner, cache, [1, 1, 1, 3, 3, 3])
    assert cache.evict(1)
    assert runner.tokens(branch) == [1, 1, 1, 2, 2]
    assert cache.evict(10)
    assert runner.tokens(branch) == []
    assert cache.match_length([1, 1, 1, 3, 3, 3, 3]) == 6
    assert cache.num_cells == runner.num_cells_used == 6


@pytest.mark.parametrize("can_cut_memory", [True, False])
def test_eviction_empties_the_cache_and_spares_running_requests(can_cut_memory: bool) -> None:
    """Evicting again and again leaves the cells of running requests alone, and no others."""
    runner = FakeRunner(can_cut_memory=can_cut_memory)
    cache = PrefixCache(runner)
    for tokens in ([1, 2, 3], [1, 2, 3, 4], [1, 5], [6]):
        _finished(runner, cache, tokens)
    lease = _running(runner, cache, [1, 2, 3, 4, 7])
    while cache.evict(2):
        assert cache.num_cells == runner.num_cells_used
    assert list(runner.cells) == [lease.seq_id]
    assert cache.num_cells == cache.num_leased_cells == runner.num_cells_used == 5


def test_the_last_number_is_taken_over_and_cut() -> None:
    """With one number in all, the sequence that matches in part is shortened and reused."""
    runner = FakeRunner(n_seq_max=1)
    cache = PrefixCache(runner)
    seq_id = _finished(runner, cache, [1, 2, 3, 4])
    assert cache.acquire([1, 2, 9]) == Lease(seq_id, 2)
    assert runner.tokens(seq_id) == [1, 2]
    assert cache.num_cells == 2


def test_no_number_is_left() -> None:
    """While all sequences run, nothing can be handed out."""
    cache = PrefixCache(FakeRunner(n_seq_max=1))
    assert cache.acquire([1]) is not None
    assert cache.acquire([2]) is None


def test_a_failed_request_leaves_nothing() -> None:
    """What a failed batch computed is not trusted; cells it shared stay with the others."""
    runner = FakeRunner()
    cache = PrefixCache(runner)
    _finished(runner, cache, [1, 2, 3])
    failed = _running(runner, cache, [1, 2, 9])
    cache.discard(failed.seq_id)
    assert cache.num_cells == runner.num_cells_used == 3
    assert cache.match_length([1, 2, 9, 9]) == 2


def test_memory_that_cannot_be_cut_is_reused_whole_or_not_at_all() -> None:
    """A recurrent state serves a prompt that continues it, and no other."""
    runner = FakeRunner(can_cut_memory=False)
    cache = PrefixCache(runner)
    seq_id = _finished(runner, cache, [1, 2, 3])
    partial = cache.acquire([1, 2, 9])
    assert partial is not None
    assert partial.num_cached_tokens == 0
    assert cache.acquire([1, 2, 3, 4]) == Lease(seq_id, 3)


def test_memory_that_cannot_be_cut_is_shared_where_a_running_request_stands() -> None:
    """The state of a running request is copied while it ends where the other branches off."""
    runner = FakeRunner(can_cut_memory=False)
    cache = PrefixCache(runner)
    _running(runner, cache, [1, 2, 3])
    assert cache.match_length([1, 2, 9]) == 0
    lease = cache.acquire([1, 2, 3, 9])
    assert lease is not None
    assert lease.num_cached_tokens == 3


@pytest.mark.parametrize("can_cut_memory", [True, False])
def test_a_pinned_prompt_is_shared_and_not_taken_over(can_cut_memory: bool) -> None:
    """It keeps a number of its own, whatever goes on from it, until it is released."""
    runner = FakeRunner(can_cut_memory=can_cut_memory)
    pins = Pins()
    cache = PrefixCache(runner, pins)
    pin = pins.keep([1, 2, 3], NO_ADAPTERS, runner.n_ctx)
    _finished(runner, cache, [1, 2, 3])
    [(anchor, _)] = cache.finished()
    assert pins.loaded == {pin.id}
    for number in range(9):
        lease = _running(runner, cache, [1, 2, 3, number])
        assert lease.seq_id != anchor
        assert lease.num_cached_tokens == 3
        cache.release(lease.seq_id)
    while cache.evict(2):
        pass
    assert runner.tokens(anchor) == [1, 2, 3]
    assert cache.num_kept_cells == cache.num_cells == 3
    pins.release(pin.id)
    assert cache.num_kept_cells == 0
    assert not pins.loaded
    assert cache.evict(3)
    assert cache.num_cells == runner.num_cells_used == 0


def test_a_pinned_beginning_gets_a_number_when_its_request_ends() -> None:
    """Its cells are those of the longer sequence, and stay when that one goes."""
    runner = FakeRunner()
    pins = Pins()
    cache = PrefixCache(runner, pins)
    lease = _running(runner, cache, [1, 2, 3, 4, 5])
    pin = pins.keep([1, 2, 3], NO_ADAPTERS, runner.n_ctx)
    assert not pins.loaded
    cache.release(lease.seq_id)
    assert pins.loaded == {pin.id}
    assert cache.num_cells == 5
    while cache.evict(9):
        pass
    assert cache.num_cells == runner.num_cells_used == 3
    assert cache.match_length([1, 2, 3, 9]) == 3


def test_a_pinned_prompt_goes_last() -> None:
    """Where asked to, the cache gives it up, too, and takes it in again when it is computed."""
    runner = FakeRunner()
    pins = Pins()
    cache = PrefixCache(runner, pins)
    pin = pins.keep([1, 2, 3], NO_ADAPTERS, runner.n_ctx)
    _finished(runner, cache, [1, 2, 3])
    other = _finished(runner, cache, [7, 8])
    assert cache.evict(2, pinned=True)
    assert not runner.tokens(other)
    assert cache.evict(2, pinned=True)
    assert cache.match_length([1, 2, 3]) == 1
    assert not pins.loaded
    assert not cache.num_kept_cells
    _finished(runner, cache, [1, 2, 3, 4])
    assert pins.loaded == {pin.id}
