"""Computing a text chunk by chunk, each on its own, as llama.cpp's tools do.

For processes of their own, see child.py; numbers are comparable with those tools'.
"""

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from builder.quality.chunk_job import ChunkJob
from runtime import machine
from runtime.engine.context_size import check_weights_fit
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.weights import Weights
from runtime.errors import AppError, DamagedFileError, ResourceError, UnsupportedError, UsageError

# What llama.cpp's tools take where nobody says otherwise, in tokens.
CHUNK_TOKENS = 512

# What llama.cpp calls with a node of the graph, whether it only asks, and nothing.
NodeCallback = Callable[[int, bool, object], bool]


class ChunkReader:
    """A model with a context that holds one chunk."""

    def __init__(self, model: Model, context: Any, chunk_tokens: int) -> None:
        self._api = model.llama.api
        self._context = context
        self._batch = self._api.llama_batch_init(chunk_tokens, 0, 1)
        self.model = model
        self.chunk_tokens = chunk_tokens

    def chunks(self, text: str, max_chunks: int) -> list[list[int]]:
        """Return the whole chunks of a text; each begins as the model wants a text to begin.

        Raises:
            UsageError: It is shorter than one.
        """
        tokens = self.model.tokenize(text, add_special=True, parse_special=False)
        size = self.chunk_tokens
        begin = self.model.begin_tokens
        starts = range(0, len(tokens) - size + 1, size)
        if not starts:
            raise UsageError(f"the text has {len(tokens)} tokens, and {size} are needed")
        found = [begin + tokens[start + len(begin) : start + size] for start in starts]
        return found[: max_chunks or None]

    def compute(self, chunk: Sequence[int], first_output: int) -> Any:
        """Compute a chunk.

        Returns:
            float32 [number of tokens from `first_output` on, n_vocab], a pointer.

        Raises:
            AppError: llama.cpp could not.
        """
        api, batch = self._api, self._batch
        for position, token in enumerate(chunk):
            batch.token[position] = token
            batch.pos[position] = position
            batch.n_seq_id[position] = 1
            batch.seq_id[position][0] = 0
            batch.logits[position] = position >= first_output
        batch.n_tokens = len(chunk)
        api.llama_memory_clear(api.llama_get_memory(self._context), True)
        if code := api.llama_decode(self._context, batch):
            raise AppError(f"llama.cpp could not compute a chunk (code {code})")
        return api.llama_get_logits(self._context)

    def close(self) -> None:
        """Free the context and the model."""
        self._api.llama_batch_free(self._batch)
        self._api.llama_free(self._context)
        self.model.close()


@contextmanager
def chunk_reader(job: ChunkJob, on_node: NodeCallback | None = None) -> Iterator[ChunkReader]:
    """Load a model to compute chunks with.

    Args:
        job: Which, and with how many threads.
        on_node: Called for every node of the graph, first whether it wants its result.

    Raises:
        AppError: It could not be loaded, or generates no text.
    """
    model = _load(job.parts)
    if not model.generates_text:
        raise UnsupportedError("the model generates no text, it was made for embeddings")
    api = model.llama.api
    chunk_tokens = min(CHUNK_TOKENS, model.n_ctx_train or CHUNK_TOKENS)
    params = api.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = chunk_tokens
    params.n_seq_max = 1
    params.n_threads = params.n_threads_batch = job.n_threads or machine.physical_cores()
    params.no_perf = True
    if on_node:
        params.cb_eval = api.ggml_backend_sched_eval_callback(on_node)
    context = api.llama_init_from_model(model.handle, params)
    if not context:
        raise ResourceError(f"there is no memory for a context of {chunk_tokens} tokens")
    reader = ChunkReader(model, context, chunk_tokens)
    try:
        yield reader
    finally:
        reader.close()


def _load(parts: Sequence[Weights]) -> Model:
    check_weights_fit(sum(part.size for part in parts), machine.memory_total_bytes())
    llama = Llama.load()
    if len(parts) == 1:
        return Model.load(llama, parts[0])
    api = llama.api
    names = (ctypes.c_char_p * len(parts))(*(os.fsencode(part.path) for part in parts))
    params = api.llama_model_default_params()
    params.use_extra_bufts = False
    handle = api.llama_model_load_from_splits(names, len(parts), params)
    if not handle:
        raise DamagedFileError(f"llama.cpp cannot load {parts[0].path} and its other parts")
    return Model(llama, handle)
