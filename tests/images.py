"""Small images, written without a library for them."""

import random
import struct
import zlib


def png(seed: int, width: int = 40, height: int = 32) -> bytes:
    """Return a PNG of random coloured squares."""
    chance = random.Random(seed)
    squares = {
        (column, row): bytes(chance.randrange(256) for _ in range(3))
        for column in range(width // 8 + 1)
        for row in range(height // 8 + 1)
    }
    rows = [
        b"\0" + b"".join(squares[column // 8, row // 8] for column in range(width))
        for row in range(height)
    ]
    return png_of(width, height, b"".join(rows))


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """Return a PNG with a header and what it packs."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
