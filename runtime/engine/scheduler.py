"""Which tokens go into the next batch: every decoding sequence first, then prompts."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from runtime.engine.prefix_cache import PrefixCache
from runtime.engine.sequence import Sequence
from runtime.engine.types import BatchSlice, Runner


@dataclass(frozen=True, slots=True)
class Work:
    """A sequence and its share of the batch."""

    sequence: Sequence
    slice: BatchSlice


class Scheduler:
    """Admits waiting requests and builds batches within the KV cache's cells."""

    def __init__(self, runner: Runner, cache: PrefixCache, *, max_running: int) -> None:
        self._cache = cache
        self._n_ctx = runner.n_ctx
        self._n_batch = runner.n_batch
        self._max_running = max_running
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

    def remove(self, sequence: Sequence) -> None:
        """Take a request out, keeping what it computed for later ones."""
        if sequence.seq_id is None:
            self.waiting.remove(sequence)
            return
        self.running.remove(sequence)
        self._cache.release(sequence.seq_id, sequence.tokens[: sequence.num_computed])
        sequence.seq_id = None

    def schedule(self) -> list[Work]:
        """Return the next batch; running sequences that no longer fit are put back first."""
        self._admit()
        works: list[Work] = []
        budget = self._n_batch
        cells = self._n_ctx - sum(sequence.num_computed for sequence in self.running)

        decoding = [sequence for sequence in self.running if sequence.is_decoding]
        prefilling = [sequence for sequence in self.running if not sequence.is_decoding]
        for sequence in decoding + prefilling:
            if sequence.seq_id is None:
                continue
            wanted = min(sequence.num_uncomputed, budget)
            while cells - self._cache.num_cells < wanted:
                if self._cache.evict():
                    continue
                victim = self._newest_idle(works)
                if victim is None or victim is sequence:
                    wanted = min(wanted, cells)
                    break
                cells += victim.num_computed
                self._preempt(victim)
            if wanted > 0:
                works.append(self._work(sequence, wanted))
                cells -= wanted
                budget -= wanted
        return works

    def _admit(self) -> None:
        while self.waiting and len(self.running) < self._max_running:
            sequence = self.waiting[0]
            used = sum(other.num_computed for other in self.running)
            if self.running and used + len(sequence.tokens) >= self._n_ctx:
                return
            lease = self._cache.acquire(sequence.tokens)
            if lease is None:
                return
            self.waiting.popleft()
            sequence.seq_id = lease.seq_id
            sequence.num_computed = lease.num_cached_tokens
            if sequence.num_completion_tokens == 0:
                sequence.num_cached_tokens = lease.num_cached_tokens
            self.running.append(sequence)

    def _newest_idle(self, works: list[Work]) -> Sequence | None:
        """Return the sequence that came last and has no share of this batch yet."""
        busy = {work.sequence.id for work in works}
        idle = [sequence for sequence in self.running if sequence.id not in busy]
        return max(idle, key=lambda sequence: sequence.id, default=None)

    def _preempt(self, sequence: Sequence) -> None:
        """Give a sequence's cells up; it computes them again when there is room."""
        assert sequence.seq_id is not None, "it is running"
        self._cache.discard(sequence.seq_id)
        sequence.seq_id = None
        sequence.num_computed = 0
        self.running.remove(sequence)
        self.waiting.appendleft(sequence)

    @staticmethod
    def _work(sequence: Sequence, count: int) -> Work:
        assert sequence.seq_id is not None, "it is running"
        start = sequence.num_computed
        tokens = sequence.tokens[start : start + count]
        is_last = start + count == len(sequence.tokens)
        return Work(sequence, BatchSlice(sequence.seq_id, start, tokens, is_last))
