"""Embeddings by llama.cpp: a context whose outputs are vectors instead of likelihoods."""

import ctypes
from collections.abc import Sequence as ReadOnlyList
from typing import Any

from runtime.engine.embedding import BATCH_TOKENS
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.pooling import Pooling
from runtime.engine.types import EmbeddingShape
from runtime.errors import AppError, ResourceError

MAX_INPUTS = 64


def embedding_shape(model: Model, pooling: Pooling | None, max_tokens: int) -> EmbeddingShape:
    """Return how a model embeds.

    Args:
        model: The loaded model.
        pooling: What the user asks for; None takes the model's own, and the mean where it names
            none.
        max_tokens: How many tokens may be computed at once.
    """
    own = model.pooling if model.pooling is not None else Pooling.MEAN
    return EmbeddingShape(
        pooling=own if pooling is None else pooling,
        max_input_tokens=min(max_tokens, model.n_ctx_train or max_tokens),
        # A recurrent memory has a large state for each sequence, used or not.
        max_inputs=MAX_INPUTS if model.can_cut_memory else 1,
    )


class Embedder:
    """A context that embeds; used by one thread.

    An input is computed at once: where tokens see what follows them, or a mean is taken, it cannot
    be cut into pieces.
    """

    def __init__(self, llama: Llama, model: Model, shape: EmbeddingShape, context: Any) -> None:
        api = llama.api
        self._api = api
        self._shape = shape
        self.context = context
        self._memory = api.llama_get_memory(context)
        self._has_decoder = bool(api.llama_model_has_decoder(model.handle))
        self._is_rank = shape.pooling is Pooling.RANK
        width = api.llama_model_n_cls_out if self._is_rank else api.llama_model_n_embd_out
        self._width: int = width(model.handle)
        self._batch = api.llama_batch_init(_num_batch_tokens(shape), 0, 1)

    @classmethod
    def open(
        cls, llama: Llama, model: Model, shape: EmbeddingShape, *, n_threads: int
    ) -> "Embedder":
        """Make a context.

        Raises:
            ResourceError: There is not enough memory for it.
        """
        num_tokens = _num_batch_tokens(shape)
        params = llama.api.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = num_tokens
        params.n_seq_max = shape.max_inputs
        params.n_threads = params.n_threads_batch = n_threads
        params.embeddings = True
        params.pooling_type = int(shape.pooling)
        params.kv_unified = True
        params.no_perf = True

        def make() -> Any:
            return llama.api.llama_init_from_model(model.handle, params)

        context = make()
        if not context:
            reason = " ".join(llama.why(make)[-1:])
            raise ResourceError(
                f"llama.cpp could not make a context for embeddings of {num_tokens} tokens: "
                f"{reason}",
                hint="Ask for a smaller one with --batch-size.",
            )
        return cls(llama, model, shape, context)

    def close(self) -> None:
        """Free the context."""
        self._api.llama_batch_free(self._batch)
        self._api.llama_free(self.context)

    def embed(self, inputs: ReadOnlyList[list[int]]) -> list[list[list[float]]]:
        """Compute a batch; see `Runner.embed`."""
        self._fill(inputs)
        # An encoder has no memory; the decoder's part of an encoder's model has nothing to say.
        if self._memory and self._has_decoder:
            status = self._api.llama_decode(self.context, self._batch)
            self._api.llama_memory_clear(self._memory, False)
        else:
            status = self._api.llama_encode(self.context, self._batch)
        if status:
            raise AppError(f"llama.cpp failed to compute embeddings (status {status}).")
        if self._shape.pooling is Pooling.NONE:
            return self._token_vectors(inputs)
        return [
            [self._read(self._api.llama_get_embeddings_seq(self.context, number))]
            for number in range(len(inputs))
        ]

    def _fill(self, inputs: ReadOnlyList[list[int]]) -> None:
        native = self._batch
        count = 0
        for number, tokens in enumerate(inputs):
            for position, token in enumerate(tokens):
                native.token[count] = token
                native.pos[count] = position
                native.n_seq_id[count] = 1
                native.seq_id[count][0] = number
                native.logits[count] = 1
                count += 1
        native.n_tokens = count

    def _token_vectors(self, inputs: ReadOnlyList[list[int]]) -> list[list[list[float]]]:
        results = []
        start = 0
        for tokens in inputs:
            indices = range(start, start + len(tokens))
            pointers = [self._api.llama_get_embeddings_ith(self.context, i) for i in indices]
            results.append([self._read(pointer) for pointer in pointers])
            start += len(tokens)
        return results

    def _read(self, pointer: "ctypes._Pointer[ctypes.c_float]") -> list[float]:
        if not pointer:
            raise AppError("llama.cpp gave no embedding for an input.")
        return pointer[: self._width]


def _num_batch_tokens(shape: EmbeddingShape) -> int:
    return max(shape.max_input_tokens, BATCH_TOKENS)
