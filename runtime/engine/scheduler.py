"""Which tokens go into the next batch: every decoding sequence first, then prompts."""

from collections import deque
from collections.abc import Iterable
from collections.abc import Sequence as ReadOnlyList

import msgspec

from runtime.engine.adapters import AdapterSet
from runtime.engine.context_shift import forget_half
from runtime.engine.drafting import Drafter, draft_limits
from runtime.engine.image_span import before_image, image_at, next_edge
from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.radix_tree import common_prefix_length
from runtime.engine.sequence import Sequence
from runtime.engine.types import BatchSlice, Runner

# Waiting for another request's prompt costs one more batch. An empty one takes as long as computing
# about 8 tokens (SmolLM2-135M, 2 cores), so this many are worth it.
MIN_SHARED_TOKENS = 32
# Prompt tokens in one batch while others decode: they bound the gap between the others' tokens.
# 128 are computed at 95 % of the speed of 512, and 64 at 82 % (SmolLM2-135M, 2 cores).
MAX_PREFILL_WHILE_DECODING = 128


class Work(msgspec.Struct, frozen=True):
    """A sequence and its share of the batch."""

    sequence: Sequence
    slice: BatchSlice

    @property
    def known(self) -> list[int]:
        """The share's tokens without the drafted ones."""
        return self.slice.tokens[: len(self.slice.tokens) - self.slice.num_drafted]

    @property
    def draft(self) -> list[int]:
        """The drafted tokens."""
        return self.slice.tokens[len(self.known) :]


class Scheduler:
    """Admits waiting requests and builds batches within the KV cache's cells.

    A request that begins like a prompt another one is still computing waits until that part is
    computed, and then shares it; the other pauses there, so that its state can be shared even
    where memory cannot be cut. A batch is computed with one set of LoRA adapters; they take turns.
    """

    def __init__(
        self,
        runner: Runner,
        cache: PrefixCache,
        *,
        max_running: int,
        drafter: Drafter | None = None,
    ) -> None:
        self._cache = cache
        # Rejected drafts are cut off again.
        self._drafter = drafter if runner.can_cut_memory else None
        self._n_ctx = runner.n_ctx
        self._n_batch = runner.n_batch
        self._max_running = max_running
        self._pauses: dict[Sequence, int] = {}
        self._turns: list[AdapterSet] = []
        self.num_preemptions = 0
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []

    @property
    def has_work(self) -> bool:
        """Whether any request is unfinished."""
        return bool(self.running or self.waiting)

    def sequences(self) -> Iterable[Sequence]:
        """Return all unfinished requests."""
        return [*self.running, *self.waiting]

    def add(self, sequence: Sequence) -> None:
        """Queue a request."""
        self.waiting.append(sequence)

    def remove(self, sequence: Sequence, *, keep: bool = True) -> None:
        """Take a request out, and keep what it computed for later ones if asked."""
        if sequence.seq_id is None:
            self.waiting.remove(sequence)
            return
        self.running.remove(sequence)
        self._drop_rejected(sequence)
        if self._drafter:
            self._drafter.forget(sequence)
        if keep:
            self._cache.release(sequence.seq_id)
        else:
            self._cache.discard(sequence.seq_id)
        sequence.seq_id = None

    def schedule(self) -> list[Work]:
        """Return the next batch; running sequences that no longer fit are put back first."""
        self._admit()
        for adapters in self._by_turn():
            works = self._batch(adapters)
            if works:
                self._turns.remove(adapters)
                self._turns.append(adapters)
                return works
        return []

    def _by_turn(self) -> list[AdapterSet]:
        """Return the running requests' sets of adapters, the one that waited longest first.

        A set that is new waits for the others, so that no number of new ones keeps an old one out.
        """
        present = dict.fromkeys(sequence.adapters for sequence in self.running)
        known = [adapters for adapters in self._turns if adapters in present]
        self._turns = list(dict.fromkeys([*known, *present]))
        return list(self._turns)

    def _batch(self, adapters: AdapterSet) -> list[Work]:
        """Return a batch of those that are computed with the same adapters."""
        works: list[Work] = []
        for sequence, wanted in self._shares(adapters):
            if sequence.seq_id is None:
                continue
            count = self._make_room(sequence, wanted, works)
            is_part = count < wanted and _is_at_image(sequence)
            if count > 0 and not is_part:
                works.append(self._work(sequence, count))
        return self._with_drafts(works)

    def advance(self, works: Iterable[Work]) -> None:
        """Note that a batch was computed; `settle` says which drafts were right."""
        for work in works:
            work.sequence.num_drafted += work.slice.num_drafted
            work.sequence.num_unsettled = work.slice.num_drafted
            self._extend(work.sequence, work.known)

    def accept(self, sequence: Sequence, token: int) -> None:
        """Note that a sequence's next drafted token was right."""
        sequence.num_unsettled -= 1
        sequence.num_accepted += 1
        self._extend(sequence, [token])

    def settle(self, work: Work) -> None:
        """Drop a work's rejected drafts, and learn from them; a full sequence makes room."""
        num_drafted, sequence = work.slice.num_drafted, work.sequence
        if sequence.seq_id is None:
            return
        if num_drafted:
            assert self._drafter is not None, "it made the draft"
            self._drafter.learn(sequence, num_drafted, num_drafted - sequence.num_unsettled)
            self._drop_rejected(sequence)
        if len(sequence.tokens) >= self._n_ctx:
            self._shift(sequence)

    def _extend(self, sequence: Sequence, tokens: list[int]) -> None:
        assert sequence.seq_id is not None, "it is running"
        sequence.num_computed += len(tokens)
        self._cache.extend(sequence.seq_id, tokens)

    def _shift(self, sequence: Sequence) -> None:
        """Let a full sequence forget some tokens and compute those behind them anew.

        Moving cells to new positions would be quicker, but other sequences may share them.
        """
        assert sequence.seq_id is not None, "it is running"
        if self._drafter:
            self._drafter.forget(sequence)
        num_kept = forget_half(sequence, self._n_ctx)
        sequence.num_computed = self._cache.shorten(sequence.seq_id, num_kept)

    def _drop_rejected(self, sequence: Sequence) -> None:
        if sequence.num_unsettled:
            assert sequence.seq_id is not None, "it is running"
            self._cache.drop_rest(sequence.seq_id)
            sequence.num_unsettled = 0

    def _admit(self) -> None:
        """Start waiting requests in order; one that waits for another's prompt keeps its place."""
        self._pauses.clear()
        num_held = 0
        for sequence in list(self.waiting):
            if len(self.running) + num_held >= self._max_running:
                return
            if self._is_held(sequence):
                num_held += 1
                continue
            if not self._fits(sequence):
                return
            images = sequence.request.images
            lease = self._cache.acquire(sequence.tokens, sequence.adapters, images)
            if lease is None:
                return
            self.waiting.remove(sequence)
            sequence.seq_id = lease.seq_id
            sequence.num_computed = lease.num_cached_tokens
            if not sequence.was_preempted:
                sequence.num_cached_tokens = lease.num_cached_tokens
            self.running.append(sequence)

    def _is_held(self, sequence: Sequence) -> bool:
        """Say whether a running prompt will soon have more of this one than the cache has."""
        # Who began to wait stays for the rest, however little of it is left.
        least_gain = 1 if sequence.is_held else MIN_SHARED_TOKENS
        images = sequence.request.images
        known = self._cache.match_length(sequence.tokens, sequence.adapters, images)
        worth_waiting = known + least_gain
        best: Sequence | None = None
        for other in self.running:
            length = _shared_length(other, sequence)
            if length > other.num_computed and length >= worth_waiting:
                best, worth_waiting = other, length
        if best is not None:
            self._pauses[best] = min(worth_waiting, self._pauses.get(best, worth_waiting))
        sequence.is_held = best is not None
        return sequence.is_held

    def _fits(self, sequence: Sequence) -> bool:
        """Say whether a request's tokens find room beside those of the running ones."""
        shared = [
            min(_shared_length(other, sequence), other.num_computed) for other in self.running
        ]
        shared.append(self._cache.pinned_length(sequence.tokens, sequence.adapters))
        uncomputed = sum(other.num_uncomputed for other in self.running)
        beside = self._cache.num_kept_cells + uncomputed - max(shared)
        return not self.running or beside + len(sequence.tokens) < self._n_ctx

    def _shares(self, adapters: AdapterSet) -> list[tuple[Sequence, int]]:
        """Divide the batch: a token for each decoding sequence, and the rest evenly to prompts.

        One image at most comes beside, whole; where it finds no room, the rest is no smaller.
        """
        batch = [sequence for sequence in self.running if sequence.adapters == adapters]
        decoding = [sequence for sequence in batch if sequence.is_decoding]
        budget = self._n_batch - len(decoding)
        if any(sequence.is_decoding for sequence in self.running):
            budget = min(budget, MAX_PREFILL_WHILE_DECODING)
        left = {
            sequence: self._next_stop(sequence) - sequence.num_computed
            for sequence in batch
            if not sequence.is_decoding
        }
        shares = dict.fromkeys(decoding[: self._n_batch], 1)
        at_image = [sequence for sequence in left if _is_at_image(sequence)]
        if at_image:
            first = min(at_image, key=lambda sequence: sequence.id)
            shares[first] = left[first]
            left = {sequence: left[sequence] for sequence in left if sequence not in at_image}
        # The shortest first: what it leaves of its even share goes to the others.
        by_length = sorted(left, key=left.__getitem__)
        for rank, sequence in enumerate(by_length):
            even_share = -(-max(0, budget) // (len(by_length) - rank))
            shares[sequence] = min(left[sequence], even_share)
            budget -= shares[sequence]
        return list(shares.items())

    def _next_stop(self, sequence: Sequence) -> int:
        """Return the place up to which a prompt may be computed at once."""
        end = self._pauses.get(sequence, len(sequence.tokens))
        edge = next_edge(sequence.request.images, sequence.num_computed)
        pin = self._cache.next_pin(sequence.tokens, sequence.num_computed, sequence.adapters)
        return min(stop for stop in (end, edge, pin) if stop is not None)

    def _make_room(self, sequence: Sequence, wanted: int, works: list[Work]) -> int:
        """Free cells for a sequence's share; returns how much of it has room."""
        planned = sum(len(work.slice.tokens) for work in works)
        while (free := self._n_ctx - self._cache.num_cells - planned) < wanted:
            if self._cache.evict(wanted - free):
                continue
            # Others wait for a pinned prompt's sake; one that runs alone gets all there is.
            if self.running == [sequence] and self._cache.evict(wanted - free, pinned=True):
                continue
            victim = self._newest_idle(works)
            if victim is None or victim is sequence:
                return free
            self._preempt(victim)
        return wanted

    def _newest_idle(self, works: list[Work]) -> Sequence | None:
        """Return the sequence that came last and has no share of this batch yet."""
        busy = {work.sequence.id for work in works}
        idle = [sequence for sequence in self.running if sequence.id not in busy]
        return max(idle, key=lambda sequence: sequence.id, default=None)

    def _preempt(self, sequence: Sequence) -> None:
        """Give a sequence's cells up; what of them goes it computes again when there is room."""
        self.num_preemptions += 1
        self.remove(sequence)
        sequence.num_computed = 0
        sequence.was_preempted = True
        self.waiting.appendleft(sequence)

    def _with_drafts(self, works: list[Work]) -> list[Work]:
        """Put drafts behind decoding sequences' tokens; no running sequence makes room for one."""
        decoding = [work.sequence for work in works if work.sequence.is_decoding]
        num_planned = sum(len(work.slice.tokens) for work in works)
        limits = draft_limits(decoding, self._n_batch - num_planned, self._n_ctx)
        if self._drafter is None or not limits:
            return works
        drafts = self._drafter.propose(limits)
        wanted = num_planned + sum(len(draft) for draft in drafts.values())
        while (missing := wanted - (self._n_ctx - self._cache.num_cells)) > 0:
            if not self._cache.evict(missing):
                return works
        return [
            self._work(work.sequence, len(work.slice.tokens), drafts.get(work.sequence, []))
            for work in works
        ]

    @staticmethod
    def _work(sequence: Sequence, count: int, draft: ReadOnlyList[int] = ()) -> Work:
        assert sequence.seq_id is not None, "it is running"
        start = sequence.num_computed
        tokens = [*sequence.tokens[start : start + count], *draft]
        is_last = start + count == len(sequence.tokens)
        image = image_at(sequence.request.images, start)
        piece = BatchSlice(
            sequence.seq_id, start, tokens, is_last, sequence.adapters, len(draft), image
        )
        return Work(sequence, piece)


def _is_at_image(sequence: Sequence) -> bool:
    """Say whether an image is what a sequence has to compute next."""
    return image_at(sequence.request.images, sequence.num_computed) is not None


def _shared_length(running: Sequence, waiting: Sequence) -> int:
    """Return how much of a waiting request a running one has, computed or not.

    The waiting one's last token is left to compute, for its logits.
    """
    if running.adapters != waiting.adapters:
        return 0
    length = common_prefix_length(waiting.tokens, running.tokens)
    length = min(length, len(waiting.tokens) - 1)
    return before_image(waiting.request.images, length)
