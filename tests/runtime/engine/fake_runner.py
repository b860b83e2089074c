"""A runner without a model, which checks every rule of the KV cache that a real one lives by."""

from collections.abc import Sequence as ReadOnlyList
from dataclasses import dataclass, field

from runtime.engine.adapters import NO_ADAPTERS, AdapterSet
from runtime.engine.embedding import BATCH_TOKENS
from runtime.engine.pooling import Pooling
from runtime.engine.sampling.logprobs import Choice, Likelihood
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.types import BatchSlice, EmbeddingShape, OutOfCellsError, Sampler


@dataclass
class FakeSampler:
    """Counts how often samplers are freed."""

    runner: "FakeRunner"

    def close(self) -> None:
        self.runner.num_samplers -= 1


@dataclass(eq=False)
class Cell:
    """A place in the KV cache; sequences that share it hold the same object."""

    token: int
    adapters: AdapterSet = NO_ADAPTERS


@dataclass
class FakeRunner:
    """Continues a sequence with a number that depends on all tokens before it.

    Attributes:
        cells: What each sequence holds, by its number.
        history: The batches computed so far.
        embedded: The batches of inputs embedded so far.
        num_loaded: How many states it was given.
    """

    n_ctx: int = 64
    n_threads: int = 1
    n_batch: int = 16
    n_seq_max: int = 6
    can_cut_memory: bool = True
    can_save_states: bool = True
    cells: dict[int, list[Cell]] = field(default_factory=dict)
    history: list[list[BatchSlice]] = field(default_factory=list)
    num_samplers: int = 0
    num_loaded: int = 0
    embeds: EmbeddingShape = field(
        default_factory=lambda: EmbeddingShape(Pooling.NONE, max_input_tokens=200, max_inputs=8)
    )
    embedded: list[list[list[int]]] = field(default_factory=list)

    def decode(self, batch: ReadOnlyList[BatchSlice]) -> None:
        assert batch, "an empty batch"
        num_tokens = sum(len(piece.tokens) for piece in batch if not piece.image)
        assert num_tokens <= self.n_batch, "the batch is too large"
        assert sum(bool(piece.image) for piece in batch) <= 1, "two images at once"
        assert len({piece.seq_id for piece in batch}) == len(batch), "a sequence comes twice"
        assert len({piece.adapters for piece in batch}) == 1, "two sets of adapters at once"
        for piece in batch:
            before = {cell.adapters for cell in self.cells.get(piece.seq_id, [])}
            assert before <= {piece.adapters}, "cells of other adapters"
            assert 0 <= piece.seq_id < self.n_seq_max, "no such sequence"
            assert piece.tokens, "an empty slice"
            if piece.image:
                assert piece.image.start == piece.start, "an image from its midst on"
                assert piece.image.length == len(piece.tokens), "a part of an image"
            assert all((token < 0) == bool(piece.image) for token in piece.tokens), "no token"
            assert piece.num_drafted < len(piece.tokens), "a draft behind nothing"
            assert self.can_cut_memory or not piece.num_drafted, "a draft that cannot be cut"
            assert len(self.cells.get(piece.seq_id, [])) == piece.start, "a gap between positions"
        if self.num_cells_used + sum(len(piece.tokens) for piece in batch) > self.n_ctx:
            raise OutOfCellsError("full")
        for piece in batch:
            self.cells.setdefault(piece.seq_id, []).extend(
                Cell(token, piece.adapters) for token in piece.tokens
            )
        self.history.append(list(batch))

    @property
    def num_cells_used(self) -> int:
        """Cells in use, shared ones counted once."""
        return len({cell for cells in self.cells.values() for cell in cells})

    @property
    def num_computed(self) -> int:
        """Tokens computed in all batches so far."""
        return sum(len(piece.tokens) for batch in self.history for piece in batch)

    def tokens(self, seq_id: int) -> list[int]:
        """Return the tokens a sequence holds."""
        return [cell.token for cell in self.cells.get(seq_id, [])]

    def sample(self, sampler: Sampler, index: int, offset: int = 0) -> int:
        return self._likeliest(index, offset)

    def _likeliest(self, index: int, offset: int) -> int:
        piece = self.history[-1][index]
        assert piece.wants_logits, "no logits were asked for"
        assert 0 <= offset <= piece.num_drafted, "no logits were asked for there"
        end = piece.start + len(piece.tokens) - piece.num_drafted + offset
        return self.continuation(self.tokens(piece.seq_id)[:end])

    def continuation(self, tokens: list[int]) -> int:
        """Return the token that follows `tokens`."""
        return hash(tuple(tokens)) % 50

    def expected(self, prompt: list[int], count: int, n_keep: int | None = None) -> list[int]:
        """Return the `count` tokens that follow a prompt, whatever else is running.

        With `n_keep` a full context forgets half of what lies behind as many tokens.
        """
        tokens, following = list(prompt), []
        for _ in range(count):
            if n_keep is not None and len(tokens) == self.n_ctx:
                kept = min(max(1, len(prompt) if n_keep < 0 else n_keep), self.n_ctx - 4)
                tokens = tokens[:kept] + tokens[kept + (len(tokens) - kept) // 2 :]
            tokens.append(self.continuation(tokens))
            following.append(tokens[-1])
        return following

    def sampled_choice(self, sampler: Sampler, token: int, num_top: int) -> Choice:
        return Choice(Likelihood(token, 0.0), ())

    def choice(self, index: int, token: int, num_top: int, offset: int = 0) -> Choice:
        best = Likelihood(self._likeliest(index, offset), 0.0)
        return Choice(Likelihood(token, 0.0), (best,) * num_top)

    def new_sampler(self, params: SamplingParams, prompt: ReadOnlyList[int]) -> FakeSampler:
        self.num_samplers += 1
        return FakeSampler(self)

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        assert source != target, "copied onto itself"
        assert not self.cells.get(target), "the target is in use"
        assert 0 < length <= len(self.cells[source]), "the source is shorter"
        assert self.can_cut_memory or len(self.cells[source]) == length, "cannot be cut"
        self.cells[target] = self.cells[source][:length]

    def state_facts(self) -> str:
        return f"can_cut_memory={self.can_cut_memory}"

    def save_state(self, seq_id: int, max_bytes: int) -> memoryview | None:
        state = memoryview(repr(self.tokens(seq_id)).encode())
        return state if len(state) <= max_bytes else None

    def load_state(self, seq_id: int, state: memoryview) -> bool:
        assert not self.cells.get(seq_id), "the sequence is in use"
        tokens = [int(token) for token in bytes(state).decode().strip("[]").split(",")]
        assert self.num_cells_used + len(tokens) <= self.n_ctx, "full"
        self.cells[seq_id] = [Cell(token) for token in tokens]
        self.num_loaded += 1
        return True

    def cut(self, seq_id: int, length: int) -> None:
        cells = self.cells.pop(seq_id, [])
        assert self.can_cut_memory or length == 0, "cannot be cut"
        assert length <= len(cells), "cut beyond the end"
        if length:
            self.cells[seq_id] = cells[:length]

    def embed(self, inputs: ReadOnlyList[list[int]]) -> list[list[list[float]]]:
        num_tokens = sum(map(len, inputs))
        assert inputs, "an empty batch"
        assert len(inputs) <= self.embeds.max_inputs, "too many inputs"
        assert num_tokens <= BATCH_TOKENS or len(inputs) == 1, "the batch is too large"
        self.embedded.append(list(inputs))
        return [[self.vector(tokens)] for tokens in inputs]

    @staticmethod
    def vector(tokens: list[int]) -> list[float]:
        """Return the embedding of an input."""
        return [float(sum(tokens)), float(len(tokens))]
