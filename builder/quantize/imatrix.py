"""Importance matrices: how strongly each column of a weight is used, as llama.cpp stores it."""

import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from builder.gguf.header import MAGIC, Header, Tensor, read_header
from runtime.errors import DamagedFileError, UsageError

_SUMS, _COUNTS = ".in_sum2", ".counts"
_F32 = 0
_INT = struct.Struct("<i")
# Names and counts beyond these are taken for another kind of file.
_MAX_NAME_BYTES, _MAX_ENTRIES = 1024, 1 << 20


@dataclass(frozen=True, slots=True)
class IMatrix:
    """What is known of a model's inputs.

    Args:
        means: By weight, the mean square of each column's input; for experts, one after the other.
        num_chunks: How many chunks of text it was computed from; 0 where that is unknown.
    """

    means: Mapping[str, "array[float]"]
    num_chunks: int


def read_imatrix(path: Path) -> IMatrix:
    """Read an importance matrix, a GGUF or in llama.cpp's older format.

    Raises:
        UsageError: There is no such file.
        DamagedFileError: It is none, or cut short.
    """
    if not path.is_file():
        raise UsageError(f"There is no importance matrix {path}.", hint="llama-imatrix makes one.")
    with path.open("rb") as file:
        is_gguf = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        imatrix = _read_gguf(file, path) if is_gguf else _read_old(file, path)
    if not imatrix.means:
        raise _damaged(path)
    return imatrix


def _damaged(path: Path) -> DamagedFileError:
    return DamagedFileError(
        f"{path} is no importance matrix, or cut short.",
        hint="Name a file that llama-imatrix made.",
    )


def _read_gguf(file: IO[bytes], path: Path) -> IMatrix:
    header = read_header(path)
    tensors = {tensor.name: tensor for tensor in header.tensors}
    means = {}
    for name, sums in tensors.items():
        if name.endswith(_SUMS):
            weight = name.removesuffix(_SUMS)
            counts = tensors.get(weight + _COUNTS)
            if counts is None:
                raise _damaged(path)
            means[weight] = _means(_floats(file, header, sums), _floats(file, header, counts), path)
    return IMatrix(means, header.integer("imatrix.chunk_count"))


def _floats(file: IO[bytes], header: Header, tensor: Tensor) -> "array[float]":
    values = array("f")
    if tensor.type_id == _F32:
        file.seek(header.data_offset + tensor.offset)
        values.frombytes(file.read(tensor.size_bytes))
    return values


def _means(sums: "array[float]", counts: "array[float]", path: Path) -> "array[float]":
    """Divide each matrix's sums by its count; an expert that was never used counts evenly."""
    if not counts or not sums or len(sums) % len(counts):
        raise _damaged(path)
    size = len(sums) // len(counts)
    means = array("f")
    for number, count in enumerate(counts):
        part = sums[number * size : (number + 1) * size]
        means.extend(value / count for value in part) if count else means.extend([1.0] * size)
    return means


def _read_old(file: IO[bytes], path: Path) -> IMatrix:
    def integer(limit: int) -> int:
        data = file.read(_INT.size)
        value = _INT.unpack(data)[0] if len(data) == _INT.size else -1
        if not 0 <= value <= limit:
            raise _damaged(path)
        return int(value)

    size = path.stat().st_size
    means = {}
    for _ in range(integer(_MAX_ENTRIES)):
        name = file.read(integer(_MAX_NAME_BYTES)).decode(errors="replace")
        num_calls = integer(1 << 30)
        count = integer(size // 4)
        data = file.read(4 * count)
        if len(data) != 4 * count or not count:
            raise _damaged(path)
        sums = array("f", data)
        means[name] = array("f", [value / (num_calls or 1) for value in sums])
    tail = file.read(_INT.size)
    return IMatrix(means, _INT.unpack(tail)[0] if len(tail) == _INT.size else 0)
