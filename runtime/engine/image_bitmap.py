"""An image decoded in memory, as libmtmd takes it, from bytes that were checked first."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runtime.engine.image_file import ImageSize, check_inflated, check_kind, check_size
from runtime.errors import RequestError

_RGB = 3


@contextmanager
def decoded_image(api: Any, data: bytes) -> Iterator[Any]:
    """Yield an image's native bitmap.

    libmtmd's own helper takes what is no image for sound or video, and starts ffmpeg; so its
    decoder of images is called instead, which the library exports, too.

    Args:
        api: The functions and structures of mtmd.h.
        data: The image's file.

    Raises:
        RequestError: It is of another kind, too large, or damaged.
    """
    pixels, size = _pixels(api._libmtmd, data)
    try:
        bitmap = api.mtmd_bitmap_init(
            size.width, size.height, ctypes.cast(pixels, ctypes.POINTER(ctypes.c_uint8))
        )
    finally:
        api._libmtmd.stbi_image_free(ctypes.c_void_p(pixels))
    try:
        yield bitmap
    finally:
        api.mtmd_bitmap_free(bitmap)


def _pixels(decoder: Any, data: bytes) -> tuple[int, ImageSize]:
    """Return where an image's pixels lie, which the caller frees."""
    check_kind(data)
    width, height, channels = (ctypes.c_int() for _ in range(3))
    shape = (ctypes.byref(width), ctypes.byref(height), ctypes.byref(channels))
    if not decoder.stbi_info_from_memory(data, ctypes.c_int(len(data)), *shape):
        raise _unreadable(decoder)
    # What the decoder itself finds in the header: nobody can show it one size and us another.
    size = ImageSize(width.value, height.value)
    check_size(size)
    check_inflated(data, size)
    decoder.stbi_load_from_memory.restype = ctypes.c_void_p
    pixels = decoder.stbi_load_from_memory(data, ctypes.c_int(len(data)), *shape, _RGB)
    if not pixels:
        raise _unreadable(decoder)
    return pixels, size


def _unreadable(decoder: Any) -> RequestError:
    decoder.stbi_failure_reason.restype = ctypes.c_char_p
    reason: bytes = decoder.stbi_failure_reason() or b"damaged"
    return RequestError(f"An image cannot be read: {reason.decode(errors='replace')}.")
