"""A runner without a model, which checks every rule of the KV cache that a real one lives by."""

from collections.abc import Sequence as ReadOnlyList
from dataclasses import dataclass, field

from runtime.engine.logprobs import Choice, Likelihood
from runtime.engine.sampling import SamplingParams
from runtime.engine.types import BatchSlice, OutOfCellsError, Sampler


@dataclass
class FakeSampler:
    """Counts how often samplers are freed."""

    runner: "FakeRunner"

    def close(self) -> None:
        self.runner.num_samplers -= 1


@dataclass
class FakeRunner:
    """Continues a sequence with a number that depends on all tokens before it.

    Attributes:
        cells: The tokens of each sequence, by its number.
        history: The batches computed so far.
    """

    n_ctx: int = 64
    n_threads: int = 1
    n_batch: int = 16
    n_seq_max: int = 6
    can_cut_memory: bool = True
    cells: dict[int, list[int]] = field(default_factory=dict)
    history: list[list[BatchSlice]] = field(default_factory=list)
    num_samplers: int = 0

    def decode(self, batch: ReadOnlyList[BatchSlice]) -> None:
        assert batch, "an empty batch"
        assert sum(len(piece.tokens) for piece in batch) <= self.n_batch, "the batch is too large"
        assert len({piece.seq_id for piece in batch}) == len(batch), "a sequence comes twice"
        for piece in batch:
            assert 0 <= piece.seq_id < self.n_seq_max, "no such sequence"
            assert piece.tokens, "an empty slice"
            assert len(self.cells.get(piece.seq_id, [])) == piece.start, "a gap between positions"
        if self.num_cells_used + sum(len(piece.tokens) for piece in batch) > self.n_ctx:
            raise OutOfCellsError("full")
        for piece in batch:
            self.cells.setdefault(piece.seq_id, []).extend(piece.tokens)
        self.history.append(list(batch))

    @property
    def num_cells_used(self) -> int:
        """Cells in use, shared ones counted once per prefix they begin."""
        prefixes = {
            tuple(tokens[: end + 1]) for tokens in self.cells.values() for end in range(len(tokens))
        }
        return len(prefixes)

    def sample(self, sampler: Sampler, index: int) -> int:
        piece = self.history[-1][index]
        assert piece.wants_logits, "no logits were asked for"
        return self.continuation(self.cells[piece.seq_id])

    def continuation(self, tokens: list[int]) -> int:
        """Return the token that follows `tokens`."""
        return hash(tuple(tokens)) % 50

    def expected(self, prompt: list[int], count: int) -> list[int]:
        """Return the `count` tokens that follow a prompt, whatever else is running."""
        tokens = list(prompt)
        for _ in range(count):
            tokens.append(self.continuation(tokens))
        return tokens[len(prompt) :]

    def choice(self, index: int, token: int, num_top: int) -> Choice:
        return Choice(Likelihood(token, 0.0), (Likelihood(token, 0.0),) * num_top)

    def new_sampler(self, params: SamplingParams, prompt: ReadOnlyList[int]) -> FakeSampler:
        self.num_samplers += 1
        return FakeSampler(self)

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        assert not self.cells.get(target), "the target is in use"
        assert len(self.cells[source]) >= length, "the source is shorter"
        assert self.can_cut_memory or len(self.cells[source]) == length, "cannot be cut"
        self.cells[target] = self.cells[source][:length]

    def cut(self, seq_id: int, length: int) -> None:
        assert self.can_cut_memory or length == 0, "cannot be cut"
        self.cells[seq_id] = self.cells.get(seq_id, [])[:length]
