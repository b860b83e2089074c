"""Icons as macOS keeps them: an `icns` file is a PNG with its size's name before it."""

import struct

_HEADER = struct.Struct(">4sI")
# Width and height in a PNG's first chunk (its specification, 11.2.1).
_PNG_SIZE = struct.Struct(">16xII")

# The types that hold a PNG, by its width. The smallest are for screens with two pixels per point.
_TYPES = {
    32: b"ic11", 64: b"ic12", 128: b"ic07", 256: b"ic08", 512: b"ic09", 1024: b"ic10",
}  # fmt: skip
SIZES = sorted(_TYPES)


def icns(png: bytes) -> bytes | None:
    """Return a PNG as an icon; None where macOS has no icons of its size."""
    width, height = _PNG_SIZE.unpack_from(png)
    if width != height or width not in _TYPES:
        return None
    picture = _HEADER.pack(_TYPES[width], _HEADER.size + len(png)) + png
    return _HEADER.pack(b"icns", _HEADER.size + len(picture)) + picture
