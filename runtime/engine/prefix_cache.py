"""The sequences of the KV cache: who holds which, and what finished ones can be reused for."""

from collections import OrderedDict
from dataclasses import dataclass

from runtime.engine.types import Runner


@dataclass(frozen=True, slots=True)
class Lease:
    """A sequence number handed out, and how many of its first tokens are already computed."""

    seq_id: int
    num_cached_tokens: int


class PrefixCache:
    """Finished sequences, kept until their cells or numbers are needed, least recent first.

    Cells that two sequences share are counted for both, so the count errs on the safe side.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._free_ids = list(range(runner.n_seq_max))
        self._finished: OrderedDict[int, list[int]] = OrderedDict()

    @property
    def num_cells(self) -> int:
        """How many cells the finished sequences hold."""
        return sum(len(tokens) for tokens in self._finished.values())

    def acquire(self, prompt: list[int]) -> Lease | None:
        """Hand out a sequence number with as much of `prompt` computed as can be found.

        At least one token is left to compute, whose logits the first sample needs.

        Returns:
            None where every number is in use.
        """
        source, length = self._longest_match(prompt)
        if source is not None and length == len(self._finished[source]):
            del self._finished[source]
            return Lease(source, length)
        if not self._free_ids and not self.evict(keep=source):
            return self._take_over(source, length)
        seq_id = self._free_ids.pop()
        if source is not None:
            self._finished.move_to_end(source)
            self._runner.copy_prefix(source, seq_id, length)
        return Lease(seq_id, length)

    def release(self, seq_id: int, computed: list[int]) -> None:
        """Keep a sequence whose request is done.

        Args:
            seq_id: Its number.
            computed: The tokens whose cells it holds.
        """
        if computed:
            self._finished[seq_id] = computed
        else:
            self._drop(seq_id)

    def discard(self, seq_id: int) -> None:
        """Free a sequence's cells and its number."""
        self._drop(seq_id)

    def evict(self, *, keep: int | None = None) -> bool:
        """Free the least recently used finished sequence but `keep`; says whether there was one."""
        for seq_id in self._finished:
            if seq_id != keep:
                del self._finished[seq_id]
                self._drop(seq_id)
                return True
        return False

    def _drop(self, seq_id: int) -> None:
        self._runner.cut(seq_id, 0)
        self._free_ids.append(seq_id)

    def _take_over(self, source: int | None, length: int) -> Lease | None:
        """Reuse the one finished sequence there is, cut down to what matches."""
        if source is None:
            return None
        del self._finished[source]
        self._runner.cut(source, length)
        return Lease(source, length)

    def _longest_match(self, prompt: list[int]) -> tuple[int | None, int]:
        best: int | None = None
        best_length = 0
        for seq_id, tokens in self._finished.items():
            length = min(_common_prefix_length(tokens, prompt), len(prompt) - 1)
            if length < len(tokens) and not self._runner.can_cut_memory:
                continue
            if length > best_length:
                best, best_length = seq_id, length
        return best, best_length


def _common_prefix_length(left: list[int], right: list[int]) -> int:
    """Return how many first items are equal, comparing whole slices at C speed."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
