"""Tests of which tokens go into a batch, with a runner that checks the KV cache's rules."""

import contextlib
import random
from collections import defaultdict
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.adapters import NO_ADAPTERS, AdapterScale, AdapterSet
from runtime.engine.draft_model import MAX_CATCH_UP
from runtime.engine.drafting import MAX_CHECKED, MAX_DRAFTING, Drafter
from runtime.engine.pins import PinError, Pins, PinSource
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.scheduler import (
    MAX_PREFILL_WHILE_DECODING,
    MIN_SHARED_TOKENS,
    Scheduler,
    Work,
)
from runtime.engine.sequence import GenerationRequest, Sequence
from tests.runtime.engine.fake_draft import DraftRunner, open_draft_model
from tests.runtime.engine.fake_images import fake_image, image_spans, without_part
from tests.runtime.engine.fake_runner import FakeRunner, FakeSampler
from tests.runtime.engine.guesser import Guesser

# Each kind of request: without adapters, with one, with the same one weaker, with two.
ADAPTER_SETS: list[AdapterSet] = [
    NO_ADAPTERS,
    (AdapterScale(0, 1.0),),
    (AdapterScale(0, 0.5),),
    (AdapterScale(0, 1.0), AdapterScale(1, 1.0)),
]


def _sequence(
    prompt: list[int],
    max_tokens: int = 4,
    adapters: AdapterSet = NO_ADAPTERS,
    n_keep: int | None = None,
) -> Sequence:
    images = image_spans(prompt)
    request = GenerationRequest(prompt, max_tokens=max_tokens, n_keep=n_keep, images=images)
    return Sequence(request, lambda _: None, adapters)


class _Engine:
    """Computes batches and finishes what is done, as the engine does, and checks every step."""

    def __init__(
        self, runner: FakeRunner, max_running: int = 4, drafter: Drafter | None = None
    ) -> None:
        self.runner = runner
        self.pins = Pins()
        self.cache = PrefixCache(runner, self.pins)
        self.generated: defaultdict[Sequence, list[int]] = defaultdict(list)
        self.scheduler = Scheduler(runner, self.cache, max_running=max_running, drafter=drafter)

    def step(self) -> None:
        works = self.scheduler.schedule()
        assert works, "work is left, and none was scheduled"
        assert len(self.scheduler.running) <= self.scheduler._max_running
        self.runner.decode([work.slice for work in works])
        self.scheduler.advance(works)
        for index, work in enumerate(works):
            if work.slice.wants_logits:
                self._take_tokens(work, index)
        self.check()

    def run(self, *sequences: Sequence, max_steps: int = 10_000) -> None:
        """Add sequences and go on until nothing is left."""
        for sequence in sequences:
            self.scheduler.add(sequence)
        for _ in range(max_steps):
            if not self.scheduler.has_work:
                return
            self.step()
        raise AssertionError(f"not done in {max_steps} steps")

    def check(self) -> None:
        """Compare what the scheduler believes of the cells with what is there."""
        assert self.cache.num_cells == self.runner.num_cells_used <= self.runner.n_ctx
        seq_ids = [sequence.seq_id for sequence in self.scheduler.running]
        assert len(set(seq_ids)) == len(seq_ids), "two requests have one sequence number"
        leased = set()
        for sequence in self.scheduler.running:
            assert sequence.seq_id is not None
            cells = self.runner.cells.get(sequence.seq_id, [])
            assert [cell.token for cell in cells] == sequence.tokens[: sequence.num_computed]
            assert {cell.adapters for cell in cells} <= {sequence.adapters}
            assert len(sequence.tokens) < self.runner.n_ctx
            leased.update(cells)
        assert self.cache.num_leased_cells == len(leased)
        for seq_id, tokens in self.cache.finished():
            assert tokens == self.runner.tokens(seq_id), "kept under other tokens than its own"

    def check_nothing_leaked(self) -> None:
        """Empty the cache: no cell may be left, and every sequence number must be free."""
        while self.cache.evict(1, pinned=True):
            self.check()
        assert self.runner.num_cells_used == self.cache.num_cells == 0
        assert set(self.cache._tree.roots) == {NO_ADAPTERS}
        for number in range(self.runner.n_seq_max):
            assert self.cache.acquire([number]) is not None
        assert self.cache.acquire([0]) is None

    def _take_tokens(self, work: Work, index: int) -> None:
        sequence = work.sequence
        for offset, drafted in enumerate([*work.draft, None]):
            token = self.runner.sample(FakeSampler(self.runner), index, offset)
            sequence.tokens.append(token)
            self.generated[sequence].append(token)
            is_full = len(sequence.tokens) >= self.runner.n_ctx
            is_ended = is_full and not sequence.request.forgets
            if is_ended or sequence.num_completion_tokens == sequence.request.max_tokens:
                self.scheduler.remove(sequence)
                return
            if token != drafted:
                break
            self.scheduler.accept(sequence, token)
        self.scheduler.settle(work)


def test_decoding_comes_before_prefill() -> None:
    """A long prompt does not keep a running sequence from its next token."""
    runner = FakeRunner(n_batch=8)
    engine = _Engine(runner)
    scheduler = engine.scheduler
    scheduler.add(_sequence([1, 2]))
    engine.step()
    scheduler.add(_sequence(list(range(30))))
    works = scheduler.schedule()
    assert [len(work.slice.tokens) for work in works] == [1, 7]
    assert [work.slice.wants_logits for work in works] == [True, False]


def test_a_prompt_is_computed_in_chunks() -> None:
    """A prompt longer than the batch takes several, and only the last gives logits."""
    runner = FakeRunner(n_batch=8)
    engine = _Engine(runner)
    scheduler = engine.scheduler
    scheduler.add(_sequence(list(range(20))))
    for _ in range(3):
        engine.step()
    shapes = [(len(batch[0].tokens), batch[0].wants_logits) for batch in runner.history]
    assert shapes == [(8, False), (8, False), (4, True)]


def test_no_more_run_than_allowed() -> None:
    """Further requests wait their turn, in order."""
    runner = FakeRunner()
    scheduler = _Engine(runner, max_running=2).scheduler
    sequences = [_sequence([number]) for number in range(3)]
    for sequence in sequences:
        scheduler.add(sequence)
    scheduler.schedule()
    assert scheduler.running == sequences[:2]
    assert list(scheduler.waiting) == sequences[2:]


def test_a_cancelled_request_leaves_its_cells_to_the_next() -> None:
    """What a cancelled request computed is found by the next that begins the same."""
    runner = FakeRunner()
    engine = _Engine(runner)
    scheduler = engine.scheduler
    first = _sequence([1, 2, 3])
    scheduler.add(first)
    engine.step()
    scheduler.remove(first)
    second = _sequence([1, 2, 3, 4])
    scheduler.add(second)
    scheduler.schedule()
    assert second.num_cached_tokens == 3


def test_a_short_prompt_is_not_behind_a_long_one() -> None:
    """Prompts share the batch evenly, and what the short one leaves goes to the long one."""
    engine = _Engine(FakeRunner(n_batch=16))
    engine.scheduler.add(_sequence(list(range(40))))
    engine.scheduler.add(_sequence([50, 51, 52]))
    works = engine.scheduler.schedule()
    assert {len(work.sequence.tokens): len(work.slice.tokens) for work in works} == {3: 3, 40: 13}


def test_a_long_prompt_leaves_decoding_sequences_their_pace() -> None:
    """While others decode, a batch takes a bounded part of a prompt, and else all it can."""
    engine = _Engine(FakeRunner(n_ctx=4096, n_batch=2048))
    engine.scheduler.add(_sequence([1, 2], max_tokens=3))
    engine.step()
    engine.scheduler.add(_sequence(list(range(3000))))
    works = engine.scheduler.schedule()
    assert [len(work.slice.tokens) for work in works] == [1, MAX_PREFILL_WHILE_DECODING]


@pytest.mark.parametrize("can_cut_memory", [True, False])
def test_who_waits_for_a_prompt_keeps_its_place(can_cut_memory: bool) -> None:
    """A request that waits for another's prefix is not overtaken, and starts once it is there."""
    engine = _Engine(FakeRunner(n_ctx=256, can_cut_memory=can_cut_memory), max_running=2)
    prefix = list(range(MIN_SHARED_TOKENS))
    first, second = _sequence([*prefix, 100, 101]), _sequence([*prefix, 102])
    third = _sequence([103])
    for sequence in (first, second, third):
        engine.scheduler.add(sequence)
    engine.step()
    assert engine.scheduler.running == [first]
    engine.step()
    engine.step()
    assert second in engine.scheduler.running
    assert third not in engine.scheduler.running
    assert second.num_cached_tokens == len(prefix)


def test_a_prefix_that_is_too_short_is_not_waited_for() -> None:
    """Computing a few tokens twice is quicker than another batch."""
    engine = _Engine(FakeRunner(n_ctx=256))
    prefix = list(range(MIN_SHARED_TOKENS - 1))
    sequences = [_sequence([*prefix, 100]), _sequence([*prefix, 101])]
    for sequence in sequences:
        engine.scheduler.add(sequence)
    engine.step()
    assert engine.scheduler.running == sequences


def test_who_waits_goes_on_when_the_other_is_cancelled() -> None:
    """A cancelled prompt leaves what it computed, and the next computes the rest."""
    engine = _Engine(FakeRunner(n_ctx=256, n_batch=16))
    prompt = list(range(60))
    first, second = _sequence(prompt), _sequence([*prompt, 1])
    engine.scheduler.add(first)
    engine.scheduler.add(second)
    engine.step()
    engine.scheduler.remove(first)
    engine.run()
    assert second.num_cached_tokens == 16
    assert engine.runner.num_computed == 61 + 3


class _Oracle:
    """Drafts what comes, or always something else."""

    def __init__(self, runner: FakeRunner, *, is_right: bool) -> None:
        self._runner = runner
        self._error = 0 if is_right else 1

    def propose(self, limits: Mapping[Sequence, int]) -> dict[Sequence, list[int]]:
        return {
            sequence: [
                token + self._error for token in self._runner.expected(sequence.tokens, limit)
            ]
            for sequence, limit in limits.items()
        }

    def learn(self, sequence: Sequence, num_drafted: int, num_accepted: int) -> None:
        pass

    def forget(self, sequence: Sequence) -> None:
        pass


def test_accepted_drafts_save_batches() -> None:
    """One batch gives all drafted tokens and one more, and no more are drafted than are wanted."""
    runner = FakeRunner(n_ctx=100, n_batch=32)
    engine = _Engine(runner, drafter=_Oracle(runner, is_right=True))
    sequence = _sequence([1, 2, 3], max_tokens=20)
    engine.run(sequence)
    assert sequence.tokens[3:] == runner.expected([1, 2, 3], 20)
    assert [len(batch[0].tokens) for batch in runner.history] == [3, MAX_CHECKED, 3]
    assert (sequence.num_drafted, sequence.num_accepted) == (17, 17)
    engine.check_nothing_leaked()


def test_rejected_drafts_leave_no_cells() -> None:
    """A wrong guess is gone after its batch, and later requests find only what was said."""
    runner = FakeRunner(n_ctx=100, n_batch=32)
    engine = _Engine(runner, drafter=_Oracle(runner, is_right=False))
    first = _sequence([1, 2, 3], max_tokens=5)
    engine.run(first)
    assert first.tokens[3:] == runner.expected([1, 2, 3], 5)
    assert (first.num_drafted, first.num_accepted) == (3 + 2 + 1, 0)
    guessed = runner.history[1][0].tokens
    assert len(guessed) == 4
    second = _sequence([1, 2, 3, *guessed, 9])
    engine.run(second)
    assert second.num_cached_tokens == 4
    engine.check_nothing_leaked()


def test_a_request_that_ends_within_its_draft_leaves_no_cells() -> None:
    """What was drafted behind the last token is not kept for later requests."""
    runner = FakeRunner(n_ctx=100, n_batch=32)
    engine = _Engine(runner, drafter=_Oracle(runner, is_right=True))
    first = _sequence([1, 2, 3], max_tokens=50)
    engine.scheduler.add(first)
    engine.step()
    works = engine.scheduler.schedule()
    runner.decode([work.slice for work in works])
    engine.scheduler.advance(works)
    token = runner.sample(FakeSampler(runner), 0)
    first.tokens.append(token)
    engine.scheduler.accept(first, token)
    engine.scheduler.remove(first)
    assert engine.cache.num_cells == runner.num_cells_used == 5
    engine.check_nothing_leaked()


def test_drafts_take_no_cells_from_running_requests() -> None:
    """Where cells are short there are no drafts, and nobody is put back for one."""
    runner = FakeRunner(n_ctx=16, n_batch=16)
    engine = _Engine(runner, drafter=_Oracle(runner, is_right=False))
    sequences = [_sequence([number] * 5, max_tokens=4) for number in (1, 2)]
    engine.run(*sequences)
    assert not any(sequence.was_preempted for sequence in sequences)
    engine.check_nothing_leaked()


def test_drafts_share_what_a_batch_may_check() -> None:
    """Few sequences divide the drafted tokens, and many draft none."""
    for num_sequences in (1, 2, MAX_DRAFTING, MAX_DRAFTING + 1):
        runner = FakeRunner(n_ctx=500, n_batch=64, n_seq_max=10)
        engine = _Engine(runner, max_running=num_sequences, drafter=_Oracle(runner, is_right=False))
        for number in range(num_sequences):
            engine.scheduler.add(_sequence([number], max_tokens=100))
        engine.step()
        works = engine.scheduler.schedule()
        expected = MAX_CHECKED // num_sequences if num_sequences <= MAX_DRAFTING else 1
        assert [len(work.slice.tokens) for work in works] == [expected] * num_sequences


def test_an_image_is_computed_whole() -> None:
    """What stands before an image ends a slice, and the image is one, however small a batch is."""
    runner = FakeRunner(n_ctx=100, n_batch=4)
    prompt = [1, 2, 3, 4, 5, 6, *fake_image(8), *fake_image(2), 7]
    engine = _Engine(runner)
    engine.run(_sequence(prompt, max_tokens=1))
    shapes = [(len(batch[0].tokens), bool(batch[0].image)) for batch in runner.history]
    assert shapes == [(4, False), (2, False), (9, True), (3, True), (1, False)]


def test_neighbours_decode_while_an_image_is_computed() -> None:
    """A batch with an image holds the tokens of those who decode, and one image alone."""
    runner = FakeRunner(n_ctx=200, n_batch=16)
    engine = _Engine(runner)
    engine.scheduler.add(_sequence([1, 2], max_tokens=9))
    engine.step()
    for number in (8, 9):
        engine.scheduler.add(_sequence([*fake_image(number), 1]))
    engine.step()
    engine.step()
    shapes = [[len(piece.tokens) for piece in batch] for batch in runner.history[1:]]
    assert shapes == [[1, 9], [1, 10, 1]]


@pytest.mark.parametrize(("number", "num_cached"), [(8, 13), (7, 4)])
def test_equal_images_are_shared(number: int, num_cached: int) -> None:
    """The same image at the same place is found, and another one is not, nor half of one."""
    engine = _Engine(FakeRunner(n_ctx=100))
    engine.run(_sequence([1, 2, 3, 4, *fake_image(8), 5]))
    again = _sequence([1, 2, 3, 4, *fake_image(number), 6])
    engine.run(again)
    assert again.num_cached_tokens == num_cached
    engine.check_nothing_leaked()


def test_a_part_of_an_image_is_not_found() -> None:
    """Where a part of an image was evicted, the rest of it is computed again, too."""
    engine = _Engine(FakeRunner(n_ctx=100))
    prompt = [1, 2, 3, 4, *fake_image(8), 5]
    engine.run(_sequence(prompt, max_tokens=1))
    engine.cache.evict(6)
    again = _sequence(prompt, max_tokens=1)
    engine.run(again)
    assert again.num_cached_tokens == 4
    engine.check_nothing_leaked()


@settings(deadline=None, max_examples=60)
@given(
    num_shared=st.integers(MIN_SHARED_TOKENS, 90),
    suffix_lengths=st.lists(st.integers(1, 40), min_size=2, max_size=6),
    n_batch=st.integers(6, 64),
    can_cut_memory=st.booleans(),
)
def test_a_common_prefix_is_computed_once(
    num_shared: int, suffix_lengths: list[int], n_batch: int, can_cut_memory: bool
) -> None:
    """Of requests that arrive together, one computes what they share, whatever the memory."""
    runner = FakeRunner(n_ctx=2000, n_batch=n_batch, n_seq_max=8, can_cut_memory=can_cut_memory)
    engine = _Engine(runner, max_running=6)
    prefix = list(range(num_shared))
    prompts = [
        prefix + [1000 * (number + 1)] * length for number, length in enumerate(suffix_lengths)
    ]
    engine.run(*(_sequence(prompt, max_tokens=3) for prompt in prompts))
    # The last of three generated tokens is not computed any more.
    assert runner.num_computed == num_shared + sum(suffix_lengths) + 2 * len(prompts)
    engine.check_nothing_leaked()


@pytest.mark.parametrize("can_cut_memory", [True, False])
def test_choices_share_their_prompt(can_cut_memory: bool) -> None:
    """Of equal prompts, only the last token is computed for each, for its logits."""
    runner = FakeRunner(n_ctx=500, n_seq_max=8, can_cut_memory=can_cut_memory)
    engine = _Engine(runner, max_running=5)
    engine.run(*(_sequence(list(range(100)), max_tokens=1) for _ in range(5)))
    assert runner.num_computed == 99 + 5


def test_adapters_take_turns() -> None:
    """Requests with different adapters are computed in turn, those with the same ones together."""
    engine = _Engine(FakeRunner())
    for number, adapters in enumerate([*ADAPTER_SETS[:3], NO_ADAPTERS]):
        engine.scheduler.add(_sequence([number], 9, adapters))
    for _ in range(9):
        engine.step()
    sets = [batch[0].adapters for batch in engine.runner.history]
    assert sets == ADAPTER_SETS[:3] * 3
    assert [len(batch) for batch in engine.runner.history] == [2, 1, 1] * 3


def test_prefixes_are_not_shared_between_adapters() -> None:
    """The same prompt with other adapters is computed anew, and again found with its own."""
    engine = _Engine(FakeRunner())
    prompt = list(range(10))
    found = []
    for adapters in [*ADAPTER_SETS[:3], *ADAPTER_SETS[:3]]:
        sequence = _sequence(prompt, 2, adapters)
        engine.run(sequence)
        found.append(sequence.num_cached_tokens)
    assert found == [0, 0, 0, 9, 9, 9]
    engine.check_nothing_leaked()


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    can_cut_memory=st.booleans(),
    num_adapter_sets=st.integers(1, len(ADAPTER_SETS)),
)
def test_nobody_starves(seed: int, can_cut_memory: bool, num_adapter_sets: int) -> None:
    """However many short requests arrive, a long one has its answer in bounded time."""
    chance = random.Random(seed)
    runner = FakeRunner(n_ctx=200, n_batch=16, can_cut_memory=can_cut_memory)
    engine = _Engine(runner)
    long = _sequence([chance.randrange(50) for _ in range(150)], max_tokens=5)
    for number in range(200):
        if number == 10:
            engine.scheduler.add(long)
        for _ in range(2):
            prompt = [chance.randrange(3) for _ in range(chance.randint(1, 20))]
            adapters = chance.choice(ADAPTER_SETS[:num_adapter_sets])
            engine.scheduler.add(_sequence(prompt, chance.randint(1, 6), adapters))
        engine.step()
    assert long.num_completion_tokens == 5


@pytest.mark.parametrize("can_cut_memory", [True, False])
def test_a_pinned_beginning_is_kept_while_its_request_runs(can_cut_memory: bool) -> None:
    """The next request has it, where memory cannot be cut, too, and computes only what follows."""
    runner = FakeRunner(n_ctx=200, n_batch=64, n_seq_max=8, can_cut_memory=can_cut_memory)
    engine = _Engine(runner)
    pinned = list(range(40))
    engine.pins.keep_for(pinned, NO_ADAPTERS, 60, 200)
    engine.run(_sequence([*pinned, *range(50, 80)]))
    for number in range(90, 95):
        other = _sequence([*pinned, number, *range(20)])
        engine.run(other)
        assert other.num_cached_tokens == 40
        assert engine.generated[other] == runner.expected(other.request.prompt, 4)
    engine.check_nothing_leaked()


@pytest.mark.parametrize("has_works", [True, False])
def test_a_pinned_prompt_outlives_all_but_what_needs_every_cell(has_works: bool) -> None:
    """Others fill the context in vain; one that needs all cells gets them."""
    engine = _Engine(FakeRunner(n_ctx=100, n_batch=16, n_seq_max=8))
    pinned = list(range(40))
    engine.pins.keep(pinned, NO_ADAPTERS, 100)
    engine.run(_sequence([*pinned, 1]))
    for number in range(100, 130):
        others = [_sequence([number + part] * 50, max_tokens=8) for part in range(3)]
        engine.run(*others)
        assert all(sequence.num_completion_tokens == 8 for sequence in others)
        again = _sequence([*pinned, number])
        engine.run(again)
        assert again.num_cached_tokens == 40
    huge = _sequence([200 + number for number in range(95)], max_tokens=4)
    neighbours = [_sequence([number] * 9, max_tokens=2) for number in range(90, 92)]
    engine.run(*(neighbours if has_works else []), huge)
    assert engine.generated[huge] == engine.runner.expected(huge.request.prompt, 4)
    for is_known in (False, True):
        again = _sequence([*pinned, 7])
        engine.run(again)
        assert (again.num_cached_tokens == 40) is is_known
        engine.run(*(_sequence([number] * 50) for number in range(220, 224)))
    engine.check_nothing_leaked()


def test_requests_wait_for_a_pinned_prompt() -> None:
    """What fits beside each other, but not beside a pinned prompt, runs one after the other."""
    engine = _Engine(FakeRunner(n_ctx=100, n_batch=100, n_seq_max=8))
    engine.pins.keep(list(range(40)), NO_ADAPTERS, 100)
    engine.run(_sequence(list(range(41))))
    both = [_sequence([number] * 35) for number in (90, 91)]
    for sequence in both:
        engine.scheduler.add(sequence)
    engine.step()
    assert engine.scheduler.running == both[:1]
    engine.run()
    again = _sequence(list(range(41)))
    engine.run(again)
    assert again.num_cached_tokens == 40


@settings(deadline=None, max_examples=200)
@given(
    seed=st.integers(0, 2**32),
    n_ctx=st.integers(12, 200),
    n_batch=st.integers(4, 48),
    n_seq_max=st.integers(4, 8),
    can_cut_memory=st.booleans(),
    num_adapter_sets=st.integers(1, len(ADAPTER_SETS)),
    is_shifting=st.booleans(),
    drafting=st.sampled_from(["none", "oracle", "draft model"]),
    has_images=st.booleans(),
    has_pins=st.booleans(),
)
def test_every_request_gets_its_own_text(
    seed: int,
    n_ctx: int,
    n_batch: int,
    n_seq_max: int,
    can_cut_memory: bool,
    num_adapter_sets: int,
    is_shifting: bool,
    drafting: str,
    has_images: bool,
    has_pins: bool,
) -> None:
    """Whatever arrives, is guessed, forgotten, pinned or evicted: each answer is as if alone."""
    chance = random.Random(seed)
    runner = FakeRunner(
        n_ctx=n_ctx, n_batch=n_batch, n_seq_max=n_seq_max, can_cut_memory=can_cut_memory
    )
    draft_runner = DraftRunner(n_ctx=n_ctx, n_batch=MAX_CATCH_UP, n_seq_max=4)
    drafters: dict[str, Drafter | None] = {
        "none": None,
        "oracle": Guesser(runner, chance),
        "draft model": open_draft_model(draft_runner, max_length=n_ctx),
    }
    engine = _Engine(runner, drafter=drafters[drafting])
    asked: list[Sequence] = []
    cancelled: list[Sequence] = []
    for _ in range(25):
        if chance.random() < 0.5:
            adapters = chance.choice(ADAPTER_SETS[:num_adapter_sets])
            prompt = _random_prompt(chance, asked, n_ctx, has_images=has_images)
            n_keep = chance.randint(-1, n_ctx) if is_shifting and chance.random() < 0.7 else None
            max_tokens = chance.randint(1, 9 if n_keep is None else 40)
            sequence = _sequence(prompt, max_tokens, adapters, n_keep)
            asked.append(sequence)
            engine.scheduler.add(sequence)
            if has_pins:
                _pin_some(chance, engine.pins, sequence, n_ctx)
        unfinished = list(engine.scheduler.sequences())
        if unfinished and chance.random() < 0.1:
            victim = chance.choice(unfinished)
            engine.scheduler.remove(victim, keep=chance.random() < 0.7)
            cancelled.append(victim)
            engine.check()
        if engine.scheduler.has_work:
            engine.step()
    engine.run()
    for sequence in asked:
        if sequence not in cancelled:
            prompt = sequence.request.prompt
            asked_for = sequence.request.max_tokens or 0
            n_keep = sequence.request.n_keep if sequence.request.forgets else None
            generated = engine.generated[sequence]
            assert generated == runner.expected(prompt, len(generated), n_keep)
            assert len(generated) == sequence.num_completion_tokens
            room = n_ctx - len(prompt) if n_keep is None else asked_for
            assert len(generated) == min(asked_for, room)
            assert sequence.num_cached_tokens < len(prompt)
    engine.check_nothing_leaked()
    assert draft_runner.num_cells_used == 0


def _pin_some(chance: random.Random, pins: Pins, sequence: Sequence, n_ctx: int) -> None:
    """Pin the beginning of a request's prompt, one way or another, and release another one."""
    prompt = without_part(sequence.tokens[: chance.randint(1, len(sequence.tokens))])
    kind = chance.choice(["asked", "brief", "baked", "none"])
    if prompt and kind == "brief":
        pins.keep_for(prompt, sequence.adapters, 60, n_ctx)
    elif prompt and kind == "baked" and not sequence.adapters:
        pins.keep_baked(prompt, n_ctx)
    elif prompt and kind == "asked":
        with contextlib.suppress(PinError):
            pins.keep(prompt, sequence.adapters, n_ctx)
    asked = [id for id, pin in pins.current().items() if pin.source is PinSource.ASKED]
    if asked and chance.random() < 0.2:
        pins.release(chance.choice(asked))


def _random_prompt(
    chance: random.Random, asked: list[Sequence], n_ctx: int, *, has_images: bool
) -> list[int]:
    """Return a new prompt, or a part of an earlier conversation that goes on differently."""
    prompt: list[int] = []
    if asked and chance.random() < 0.7:
        earlier = chance.choice(asked).tokens
        prompt = without_part(earlier[: chance.randint(0, min(len(earlier), n_ctx - 2))])
    while has_images and chance.random() < 0.6:
        more = [*[chance.randint(0, 1)] * chance.randint(0, 3), *fake_image(chance.randint(1, 9))]
        if len(prompt) + len(more) < n_ctx - 1:
            prompt += more
    length = chance.randint(1, n_ctx - 1 - len(prompt))
    return prompt + [chance.randint(0, 1) for _ in range(length)]
