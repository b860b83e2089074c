"""Eyes for a model: a projector beside it, which reads images as the model's embeddings."""

import ctypes
import threading
from collections.abc import Sequence as ReadOnlyList
from typing import Any

from runtime.engine.context_size import ContextSizeError
from runtime.engine.embedding_cache import EmbeddingCache
from runtime.engine.image_span import ImageSpan, Prompt
from runtime.engine.model import Model
from runtime.engine.projector_file import projector_file
from runtime.engine.prompt_chunks import ImageChunk, prompt_chunks
from runtime.engine.weights import Weights
from runtime.errors import AppError, DamagedFileError, RequestError, UnsupportedError

# llama.cpp's order in a batch; the last is for models that count images.
_AXES = ("t", "y", "x", "z")


class Vision:
    """A loaded projector; safe to use from several threads, which wait for each other.

    Args:
        api: The functions and structures of mtmd.h.
        context: The native projector.
        n_embd: Numbers in the model's embedding of a cell.
        n_ubatch: Cells that the model computes at once, and so the most that an image may take
            whose cells see each other.
    """

    def __init__(self, api: Any, context: Any, *, n_embd: int, n_ubatch: int) -> None:
        self._api = api
        self._context = context
        self._n_embd = n_embd
        self._n_ubatch = n_ubatch
        self._is_causal = not api.mtmd_decode_use_non_causal(context, None)
        self._has_mrope: bool = api.mtmd_decode_use_mrope(context)
        self._embeddings = EmbeddingCache()
        # Encoding is not safe to do twice at once, and decoded images take memory.
        self._reading = threading.Lock()

    @classmethod
    def open(cls, model: Model, projector: Weights, *, n_threads: int, n_ubatch: int) -> "Vision":
        """Load a projector into memory.

        Raises:
            DamagedFileError: It is no projector, or cut short.
            UnsupportedError: It is for another model, or for sounds alone.
        """
        api = model.llama.vision_api()
        params = api.mtmd_context_params_default()
        params.use_gpu = False
        params.print_timings = False
        params.n_threads = n_threads
        # Memory for computing is taken with the first image.
        params.warmup = False
        path = projector.path
        try:
            with projector_file(projector) as file:
                name = str(file).encode()

                def load() -> Any:
                    return api.mtmd_init_from_file(name, model.handle, params)

                context = load()
                complaints = [] if context else model.llama.why(load)
        except OSError as error:
            raise DamagedFileError(f"{path} cannot be read: {error.strerror}.") from error
        if not context:
            raise _load_error(path, complaints)
        if not api.mtmd_support_vision(context):
            api.mtmd_free(context)
            raise UnsupportedError(f"The projector {path} is for sounds, which are not read.")
        return cls(api, context, n_embd=model.n_embd_input, n_ubatch=n_ubatch)

    def close(self) -> None:
        """Free the projector."""
        self._api.mtmd_free(self._context)

    def read(self, parts: ReadOnlyList[str | bytes], *, add_special: bool, n_ctx: int) -> Prompt:
        """Return a prompt of texts and images; each new image takes its time.

        Args:
            parts: Texts, in which names of special tokens are read as those, and images' files.
            add_special: Add the tokens the model wants around a text.
            n_ctx: Cells of the context.

        Raises:
            RequestError: An image cannot be read, or is what the prompt ends with.
            ContextSizeError: The prompt does not fit into the context.
        """
        with (
            self._reading,
            prompt_chunks(self._api, self._context, parts, add_special=add_special) as chunks,
        ):
            if isinstance(chunks[-1], ImageChunk):
                raise RequestError("The prompt ends with an image.", hint="Write text behind it.")
            lengths = [one.length if isinstance(one, ImageChunk) else len(one) for one in chunks]
            if sum(lengths) >= n_ctx:
                raise ContextSizeError(sum(lengths), n_ctx)
            return self._prompt(chunks)

    def _prompt(self, chunks: list[list[int] | ImageChunk]) -> Prompt:
        tokens: list[int] = []
        images: list[ImageSpan] = []
        position = 0
        for chunk in chunks:
            if isinstance(chunk, ImageChunk):
                image = self._image(chunk, len(tokens), position)
                images.append(image)
                tokens += chunk.placeholders()
                position += image.num_positions
            else:
                tokens += chunk
                position += len(chunk)
        return Prompt(tokens, tuple(images))

    def _image(self, chunk: ImageChunk, start: int, position: int) -> ImageSpan:
        if not self._is_causal and chunk.length > self._n_ubatch:
            raise RequestError(
                f"An image takes {chunk.length} tokens, and {self._n_ubatch} are computed at once.",
                hint=f"Start the server with --ubatch-size {chunk.length}.",
            )
        key = (chunk.digest, chunk.tile, chunk.length)
        embedding = self._embeddings.get(key, lambda: self._encode(chunk))
        return ImageSpan(
            start,
            chunk.length,
            embedding,
            self._api.mtmd_input_chunk_get_n_pos(chunk.handle),
            self._positions(chunk, position) if self._has_mrope else None,
            self._is_causal,
        )

    def _encode(self, chunk: ImageChunk) -> Any:
        if self._api.mtmd_encode_chunk(self._context, chunk.handle):
            raise AppError("llama.cpp failed to read an image.")
        embedding = (ctypes.c_float * (chunk.length * self._n_embd))()
        output = self._api.mtmd_get_output_embd(self._context)
        ctypes.memmove(embedding, output, ctypes.sizeof(embedding))
        return embedding

    def _positions(self, chunk: ImageChunk, position: int) -> Any:
        native = (self._api.mtmd_decoder_pos * chunk.length)()
        cells = self._api.mtmd_input_chunk_get_tokens_image(chunk.handle)
        self._api.mtmd_helper_image_get_decoder_pos(cells, position, native)
        places = [getattr(cell, axis) for axis in _AXES for cell in native]
        return (ctypes.c_int32 * len(places))(*places)


def _load_error(path: object, complaints: list[str]) -> AppError:
    """Return the error for what libmtmd logged."""
    reason = next((line for line in complaints if "error" in line), "")
    reason = reason.rpartition("error: ")[2].partition("\n")[0].strip().removesuffix(".")
    if "mismatch" in reason:
        return UnsupportedError(
            f"The projector {path} was made for another model: {reason}.",
            hint="Name the one that belongs to this model.",
        )
    return DamagedFileError(
        f"llama.cpp cannot load the projector {path}: {reason or 'it gave no reason'}.",
        hint="Give the projector in GGUF format, which comes beside the model.",
    )
