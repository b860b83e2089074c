"""A prompt with images as libmtmd divides it: runs of tokens, and images or tiles of them."""

import ctypes
import hashlib
import struct
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence as ReadOnlyList
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from runtime.engine.image_bitmap import decoded_image
from runtime.engine.image_file import MAX_PROMPT_PIXELS
from runtime.errors import RequestError

_LARGEST = 0x7FFFFFFF


class ImageChunk(msgspec.Struct, frozen=True):
    """An image, or a tile of one.

    Args:
        handle: The native chunk.
        digest: The SHA-256 of the image's file, in hex.
        tile: Which part of the image, from 0.
        length: How many cells it takes.
    """

    handle: Any
    digest: str
    tile: int
    length: int

    def placeholders(self) -> list[int]:
        """Return a negative number for each cell, the same for equal parts of equal images."""
        seed = f"{self.digest} {self.tile} {self.length}".encode()
        numbers = hashlib.shake_256(seed).digest(4 * self.length)
        return [-1 - (number & _LARGEST) for (number,) in struct.iter_unpack("<I", numbers)]


@contextmanager
def prompt_chunks(
    api: Any, context: Any, parts: ReadOnlyList[str | bytes], *, add_special: bool
) -> Iterator[list[list[int] | ImageChunk]]:
    """Yield the tokens and images a prompt consists of, in order.

    Args:
        api: The functions and structures of mtmd.h.
        context: The native projector.
        parts: Texts, in which names of special tokens are read as those, and images' files.
        add_special: Add the tokens the model wants around a text.

    Raises:
        RequestError: An image cannot be read.
    """
    with ExitStack() as stack:
        natives = [*_native_parts(api, parts, stack)]
        pointers = (ctypes.POINTER(api.mtmd_input_part) * len(natives))(
            *map(ctypes.pointer, natives)
        )
        chunks = api.mtmd_input_chunks_init()
        stack.callback(api.mtmd_input_chunks_free, chunks)
        if api.mtmd_tokenize_from_parts(context, chunks, pointers, len(natives), add_special):
            raise RequestError("An image cannot be prepared for this model.")
        yield list(_chunks(api, chunks))


def _native_parts(api: Any, parts: ReadOnlyList[str | bytes], stack: ExitStack) -> Iterator[Any]:
    """Yield native parts; their bitmaps live as long as the stack."""
    num_pixels = 0
    for number, part in enumerate(parts):
        if isinstance(part, bytes):
            bitmap = stack.enter_context(decoded_image(api, part))
            num_pixels += api.mtmd_bitmap_get_nx(bitmap) * api.mtmd_bitmap_get_ny(bitmap)
            if num_pixels > MAX_PROMPT_PIXELS:
                raise RequestError(
                    f"The images have more than {MAX_PROMPT_PIXELS} pixels together.",
                    hint="Scale them down.",
                )
            # The chunks made of it carry the name, which tells two equal images apart.
            name = f"{hashlib.sha256(part).hexdigest()} {number}"
            api.mtmd_bitmap_set_id(bitmap, name.encode())
            yield api.mtmd_input_part(None, bitmap)
        elif part:
            yield _text_part(api, part)


def _text_part(api: Any, part: str) -> Any:
    data = part.encode()
    text = api.mtmd_input_text(data, len(data), False, True)
    return api.mtmd_input_part(ctypes.pointer(text), None)


def _chunks(api: Any, chunks: Any) -> Iterator[list[int] | ImageChunk]:
    num_tiles: Counter[bytes] = Counter()
    for index in range(api.mtmd_input_chunks_size(chunks)):
        handle = api.mtmd_input_chunks_get(chunks, index)
        if api.mtmd_input_chunk_get_type(handle) == api.MTMD_INPUT_CHUNK_TYPE_TEXT:
            count = ctypes.c_size_t()
            tokens = api.mtmd_input_chunk_get_tokens_text(handle, ctypes.byref(count))
            yield tokens[: count.value]
        else:
            name: bytes = api.mtmd_input_chunk_get_id(handle)
            length = api.mtmd_input_chunk_get_n_tokens(handle)
            yield ImageChunk(handle, name.split()[0].decode(), num_tiles[name], length)
            num_tiles[name] += 1
