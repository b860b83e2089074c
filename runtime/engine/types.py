"""What passes between the scheduler and whatever runs the model."""

from collections.abc import Sequence as ReadOnlyList
from typing import Protocol

import msgspec

from runtime.engine.adapters import NO_ADAPTERS, AdapterSet
from runtime.engine.image_span import ImageSpan
from runtime.engine.pooling import Pooling
from runtime.engine.sampling.logprobs import Choice
from runtime.engine.sampling.params import SamplingParams
from runtime.errors import AppError


class OutOfCellsError(AppError):
    """The KV cache had no room for a batch."""


class BatchSlice(msgspec.Struct, frozen=True):
    """Consecutive tokens of one sequence, as they go into a batch.

    Args:
        seq_id: The sequence's number in the KV cache.
        start: The position of the first token.
        tokens: Their ids.
        wants_logits: Whether the last one's logits are sampled from.
        adapters: What they are computed with; the same for all of a batch.
        num_drafted: How many tokens at the end are guesses; their logits, and those of the token
            before them, are wanted.
        image: The image that the slice is, whole, its tokens being what stands for it; else None.
    """

    seq_id: int
    start: int
    tokens: list[int]
    wants_logits: bool
    adapters: AdapterSet = NO_ADAPTERS
    num_drafted: int = 0
    image: ImageSpan | None = None


class EmbeddingShape(msgspec.Struct, frozen=True):
    """How a model embeds.

    Args:
        pooling: What becomes of an input's token vectors.
        max_input_tokens: The longest input.
        max_inputs: Inputs in one batch at most.
    """

    pooling: Pooling
    max_input_tokens: int
    max_inputs: int


class Sampler(Protocol):
    """One request's sampler chain."""

    def close(self) -> None:
        """Free it."""


class Runner(Protocol):
    """The device: a context that computes batches and holds the KV cache."""

    n_ctx: int
    n_threads: int
    n_batch: int
    n_seq_max: int
    can_cut_memory: bool
    can_save_states: bool
    embeds: EmbeddingShape

    def decode(self, batch: ReadOnlyList[BatchSlice]) -> None:
        """Compute a batch of at most `n_batch` tokens, and of one image at most.

        Raises:
            OutOfCellsError: The KV cache has no room for it.
        """

    def sample(self, sampler: Sampler, index: int, offset: int = 0) -> int:
        """Choose a token from the logits of the batch's slice number `index`.

        Args:
            sampler: The request's; it goes on by the token.
            index: Which slice.
            offset: After how many of the slice's drafted tokens.

        Raises:
            RequestError: The request's grammar allows none.
        """

    def choice(self, index: int, token: int, num_top: int, offset: int = 0) -> Choice:
        """Return how likely a token was where `sample` chose it."""

    def sampled_choice(self, sampler: Sampler, token: int, num_top: int) -> Choice:
        """Return how likely a token was among those that its sampler left to choose from.

        Args:
            sampler: One made with `post_sampling_probs`, which has just chosen the token.
            token: The token.
            num_top: How many of the likeliest to tell; there may be fewer.
        """

    def new_sampler(self, params: SamplingParams, prompt: ReadOnlyList[int]) -> Sampler:
        """Make a sampler chain that has seen the prompt.

        Raises:
            RequestError: The parameters' grammar is not valid.
        """

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Let sequence `target` share the first `length` cells of `source`."""

    def cut(self, seq_id: int, length: int) -> None:
        """Drop a sequence's cells from position `length` on."""

    def state_facts(self) -> str:
        """Return what saved states depend on beside the weights; only equal ones fit."""

    def save_state(self, seq_id: int, max_bytes: int) -> memoryview | None:
        """Copy a sequence's state; None where it takes more than `max_bytes`."""

    def load_state(self, seq_id: int, state: memoryview) -> bool:
        """Give an empty sequence a saved state; says whether it fits this model and context."""

    def embed(self, inputs: ReadOnlyList[list[int]]) -> list[list[list[float]]]:
        """Compute the embeddings of inputs that go into one batch.

        Args:
            inputs: Token ids of each: one input of at most `embeds.max_input_tokens`, or several
                of together at most `BATCH_TOKENS`.

        Returns:
            For each input one vector; without pooling, one for each of its tokens.
        """
