"""What a model and its context take of each device, as llama.cpp plans it without taking it."""

import ctypes
from collections.abc import Callable
from types import TracebackType
from typing import Any

from runtime.engine.c_file import with_c_file
from runtime.engine.embedder import embedding_shape
from runtime.engine.llama import Llama, gpu_plugin_folder
from runtime.engine.loading import NUM_CACHED_SEQUENCES
from runtime.engine.model import Model, load_error
from runtime.engine.model_runner import ContextOptions, ModelRunner
from runtime.engine.offload.options import MAX_DEVICES, OffloadOptions
from runtime.engine.weights import Weights

# llama.cpp tells it only C++; this passes it on, see memory_breakdown.cpp of the builder.
_LIBRARY_PATTERN = "*solofile-memory*"


class _DeviceMemory(ctypes.Structure):
    _fields_ = (("device", ctypes.c_void_p), ("bytes", ctypes.c_size_t))


def can_measure() -> bool:
    """Say whether this solofile has what it takes; one with Metal alone has not."""
    return any(gpu_plugin_folder().glob(_LIBRARY_PATTERN))


class DryRun:
    """Loads a model again and again without its weights, and measures what each try would take.

    Args:
        llama: The loaded libraries.
        weights: Where the GGUF lies.
        options: What the context is to be like.
        prepare: Writes which devices take part into llama.cpp's `llama_model_params`.
    """

    def __init__(
        self,
        llama: Llama,
        weights: Weights,
        options: OffloadOptions,
        prepare: Callable[[Any], None],
    ) -> None:
        self._llama = llama
        self._weights = weights
        self._options = options
        self._prepare = prepare
        self._model: Model | None = None
        self._num_layers = 0
        self._breakdown = ctypes.CDLL(
            str(next(gpu_plugin_folder().glob(_LIBRARY_PATTERN)))
        ).solofile_memory_breakdown
        self._breakdown.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]

    def __enter__(self) -> "DryRun":
        """Take nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Free the last try."""
        self._close()

    def model(self, num_layers: int) -> Model:
        """Return the model without its weights, with so many layers on GPUs; negative for all.

        Raises:
            AppError: llama.cpp cannot load it; see `Model.load`.
        """
        if self._model is None or self._num_layers != num_layers:
            self._close()
            self._model, self._num_layers = self._load(num_layers), num_layers
        return self._model

    def measure(self, num_layers: int, n_ctx: int) -> dict[int, int]:
        """Return the bytes taken of each device, by its handle; the machine's own memory is not.

        Args:
            num_layers: Layers on GPUs.
            n_ctx: Tokens of context.

        Raises:
            AppError: The context cannot be made.
        """
        model = self.model(num_layers)
        n_batch = min(self._options.batch_size, n_ctx)
        open_runner = ModelRunner.open if model.generates_text else ModelRunner.open_embedder
        runner = open_runner(
            self._llama,
            model,
            ContextOptions(
                n_ctx=n_ctx,
                n_batch=n_batch,
                n_ubatch=self._options.ubatch_size,
                n_seq_max=self._options.parallel + NUM_CACHED_SEQUENCES,
                n_threads=1,
                n_threads_batch=1,
                attention=self._options.attention,
                embeds=embedding_shape(model, None, n_batch),
            ),
        )
        rows = (_DeviceMemory * (MAX_DEVICES + 1))()
        count = self._breakdown(runner.context, rows, len(rows))
        runner.close()
        return {row.device: row.bytes for row in rows[:count] if row.device}

    def _load(self, num_layers: int) -> Model:
        api = self._llama.api
        params = api.llama_model_default_params()
        self._prepare(params)
        params.n_gpu_layers = num_layers
        params.no_alloc = True
        params.load_mode = api.LLAMA_LOAD_MODE_NONE

        def load() -> Any:
            return with_c_file(
                self._weights.path,
                self._weights.offset,
                lambda file: api.llama_model_load_from_file_ptr(file, params),
            )

        handle = load()
        if not handle:
            raise load_error(self._weights.path, self._llama.why(load))
        return Model(self._llama, handle)

    def _close(self) -> None:
        if self._model:
            self._model.close()
            self._model = None
