"""Writing an importance matrix, a GGUF of sums and counts, as llama.cpp's imatrix tool does."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.gguf.header import DEFAULT_ALIGNMENT, MAGIC, VERSIONS, Tensor
from builder.gguf.merge import tensor_info

_U32, _STRING, _ARRAY = 4, 8, 9
_F32 = 0
_F32_BYTES = 4


@dataclass(frozen=True, slots=True)
class Sums:
    """What went into one weight.

    Args:
        squares: float32 [matrices, columns], the sums of squares; an expert is a matrix.
        counts: float32 [matrices], how many rows went into each; one for all where all got all.
    """

    squares: bytes
    counts: bytes


def write_imatrix(
    path: Path, sums: Mapping[str, Sums], *, dataset: str, num_chunks: int, chunk_tokens: int
) -> None:
    """Write an importance matrix.

    Args:
        path: The file.
        sums: What went in, by weight.
        dataset: What the text was called.
        num_chunks: How many chunks of it there were.
        chunk_tokens: How many tokens a chunk had.
    """
    pairs = [
        _text("general.type") + struct.pack("<I", _STRING) + _text("imatrix"),
        _text("imatrix.datasets") + struct.pack("<IIQ", _ARRAY, _STRING, 1) + _text(dataset),
        _text("imatrix.chunk_count") + struct.pack("<II", _U32, num_chunks),
        _text("imatrix.chunk_size") + struct.pack("<II", _U32, chunk_tokens),
    ]
    infos, data = [], bytearray()
    for name, weight in sorted(sums.items()):
        matrices = len(weight.counts) // _F32_BYTES
        columns = len(weight.squares) // _F32_BYTES // matrices
        for suffix, width, values in (
            ("in_sum2", columns, weight.squares),
            ("counts", 1, weight.counts),
        ):
            shape = (width, matrices) if matrices > 1 else (width,)
            tensor = Tensor(f"{name}.{suffix}", shape, _F32, len(data))
            infos.append(tensor_info(tensor, tensor.offset))
            data += _padded(values)
    start = MAGIC + struct.pack("<IQQ", VERSIONS[-1], len(infos), len(pairs))
    path.write_bytes(_padded(start + b"".join([*pairs, *infos])) + data)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % DEFAULT_ALIGNMENT)
