"""Which bytes are an image that may be decoded."""

import struct
import zlib
from collections.abc import Iterator

import msgspec

from runtime.errors import RequestError

# 33.5 million: what most cameras take, 100 MB as three bytes each.
MAX_PIXELS = 1 << 25
# Of a prompt's images, which are in memory together.
MAX_PROMPT_PIXELS = 1 << 26
# Longer ones are nothing that a model sees anything in, and models scale by the ratio.
MAX_ASPECT_RATIO = 100
# What the decoder reads; its others are rarely sent and would only be more of C to trust.
_KINDS = {
    "PNG": b"\x89PNG\r\n\x1a\n",
    "JPEG": b"\xff\xd8\xff",
    "GIF": b"GIF8",
    "BMP": b"BM",
}
_PNG_CHUNK = struct.Struct(">I4s")
_INFLATE_STEP = 1 << 20


class ImageSize(msgspec.Struct, frozen=True):
    """An image's width and height in pixels."""

    width: int
    height: int


def check_kind(data: bytes) -> None:
    """Refuse what is no image of a kind that is read.

    Raises:
        RequestError: It is something else.
    """
    if not any(data.startswith(magic) for magic in _KINDS.values()):
        is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
        what = "An image is WebP, which is not read" if is_webp else "An image is of no known kind"
        raise RequestError(f"{what}.", hint=f"Send {', '.join(_KINDS)}.")


def check_size(size: ImageSize) -> None:
    """Refuse an image before it takes memory.

    Raises:
        RequestError: It has too many pixels, or too long a side.
    """
    shape = f"An image has {size.width} x {size.height} pixels"
    if size.width * size.height > MAX_PIXELS:
        raise RequestError(f"{shape}; at most {MAX_PIXELS} are read.", hint="Scale it down.")
    if max(size.width, size.height) > MAX_ASPECT_RATIO * min(size.width, size.height):
        raise RequestError(
            f"{shape}; the longer side may be {MAX_ASPECT_RATIO} times the other.", hint="Cut it."
        )


def check_inflated(data: bytes, size: ImageSize) -> None:
    """Refuse a PNG that unpacks to more than its pixels, which the decoder would write down whole.

    Raises:
        RequestError: It does.
    """
    if not data.startswith(_KINDS["PNG"]):
        return
    # Four channels of 16 bits, a byte for each row, and seven passes of rows when interlaced.
    left = 8 * size.width * size.height + 2 * size.height + 8 * (size.width + size.height)
    inflate = zlib.decompressobj()
    try:
        for part in _image_data(data):
            packed = part
            while packed:
                left -= len(inflate.decompress(packed, _INFLATE_STEP))
                if left < 0:
                    raise RequestError("An image unpacks to more than its pixels.")
                packed = inflate.unconsumed_tail
    except zlib.error as error:
        raise RequestError(f"An image cannot be read: {error}.") from error


def _image_data(data: bytes) -> Iterator[bytes]:
    """Yield the contents of a PNG's IDAT chunks."""
    at = len(_KINDS["PNG"])
    while at + _PNG_CHUNK.size <= len(data):
        length, kind = _PNG_CHUNK.unpack_from(data, at)
        at += _PNG_CHUNK.size
        if kind == b"IDAT":
            yield data[at : at + length]
        at += length + 4
