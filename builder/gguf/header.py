"""Reading the header of a GGUF file: what it says of itself and where its tensors lie.

Only the header is read, never the tensors, and never more of it than there is: a file that is cut
short, or is something else, is named as such. The format is GGUF versions 2 and 3, little-endian.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from builder.file_range import FileRange
from builder.gguf.tables import TENSOR_TYPES
from runtime.errors import DamagedFileError, UnsupportedError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32

Scalar = str | int | float | bool

# GGUF metadata value types, by their number in the file.
_SCALARS = {
    0: struct.Struct("<B"), 1: struct.Struct("<b"), 2: struct.Struct("<H"), 3: struct.Struct("<h"),
    4: struct.Struct("<I"), 5: struct.Struct("<i"), 6: struct.Struct("<f"), 7: struct.Struct("<?"),
    10: struct.Struct("<Q"), 11: struct.Struct("<q"), 12: struct.Struct("<d"),
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_COUNTS = struct.Struct("<QQ")
_MAX_DIMENSIONS = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """One metadata pair: its value (None for arrays) and the bytes it takes in the file."""

    value: Scalar | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor.

    Args:
        name: Its name.
        shape: Elements per dimension, fastest first.
        type_id: The number of its type in `TENSOR_TYPES`.
        offset: Where its data begins, in bytes from the start of the data section.
    """

    name: str
    shape: tuple[int, ...]
    type_id: int
    offset: int

    @property
    def num_elements(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """How many bytes its data takes."""
        kind = TENSOR_TYPES[self.type_id]
        return self.num_elements // kind.block_elements * kind.block_bytes


@dataclass(frozen=True, slots=True)
class Header:
    """Everything that stands before a GGUF's tensor data.

    Args:
        version: The GGUF version.
        pairs: The metadata, by key, in file order.
        tensors: The tensors, in file order.
        data_offset: Where the data section begins, in bytes from the file's start.
    """

    version: int
    pairs: dict[str, Pair]
    tensors: list[Tensor]
    data_offset: int

    @property
    def alignment(self) -> int:
        """What every tensor's offset is a multiple of, in bytes."""
        return self.integer("general.alignment") or DEFAULT_ALIGNMENT

    @property
    def needed_bytes(self) -> int:
        """How long the file must at least be."""
        ends = [tensor.offset + tensor.size_bytes for tensor in self.tensors]
        return self.data_offset + max(ends, default=0)

    def text(self, key: str) -> str:
        """Return the string under `key`, empty where there is none."""
        pair = self.pairs.get(key)
        return pair.value if pair and isinstance(pair.value, str) else ""

    def integer(self, key: str) -> int:
        """Return the number under `key`, 0 where there is none."""
        pair = self.pairs.get(key)
        return pair.value if pair and isinstance(pair.value, int) else 0


def read_header(source: Path | FileRange) -> Header:
    """Return the header of a GGUF, whose tensors are all there; offsets count from its start.

    Raises:
        DamagedFileError: It is not a GGUF, cut short, or makes no sense.
        UnsupportedError: It is a GGUF of a version or byte order llama.cpp cannot load.
        OSError: It cannot be read.
    """
    data = FileRange.of(source)
    with data.path.open("rb") as file:
        file.seek(data.offset)
        header = parse_header(file, data.size, str(data))
    if header.needed_bytes > data.size:
        raise cut_short(str(data), f"it holds {data.size:,} of {header.needed_bytes:,} bytes")
    return header


def parse_header(file: IO[bytes], size: int, label: str) -> Header:
    """Parse a header from an open file.

    Args:
        file: Positioned at the GGUF's first byte.
        size: How long the whole GGUF is, in bytes; lengths beyond it are not believed.
        label: What error sentences call it.

    Raises:
        DamagedFileError: It is not a GGUF, cut short, or makes no sense.
        UnsupportedError: It is a GGUF of a version or byte order llama.cpp cannot load.
    """
    return _Parser(file, size, label).header()


def cut_short(label: str, why: str) -> DamagedFileError:
    """Return the error that says a GGUF ends too early."""
    return DamagedFileError(
        f"{label} is cut short: {why}.", hint="Copy or download the file again."
    )


class _Parser:
    def __init__(self, file: IO[bytes], size: int, label: str) -> None:
        self._file = file
        self._size = size
        self._label = label
        self._position = 0

    def header(self) -> Header:
        version = self._version()
        num_tensors, num_pairs = _COUNTS.unpack(self._take(_COUNTS.size))
        pairs: dict[str, Pair] = {}
        for _ in range(num_pairs):
            start = self._position
            key = self._string()
            if key in pairs:
                raise self._senseless(f"it has the key {key} twice")
            pairs[key] = Pair(self._value(self._u32()), start, self._position)
        tensors = [self._tensor() for _ in range(num_tensors)]
        header = Header(version, pairs, tensors, 0)
        alignment = header.alignment
        if alignment < 1 or alignment & (alignment - 1):
            raise self._senseless(f"its alignment is {alignment}")
        return Header(version, pairs, tensors, self._position + -self._position % alignment)

    def _version(self) -> int:
        start = self._file.read(8)
        self._position = len(start)
        if start[: len(MAGIC)] != MAGIC:
            raise DamagedFileError(
                f"{self._label} is not a GGUF file.", hint="Name a file that ends in .gguf."
            )
        if len(start) < 8:
            raise self._cut_short()
        (version,) = _U32.unpack(start[4:])
        if not version & 0xFFFF:
            raise UnsupportedError(
                f"{self._label} is a big-endian GGUF, made for another kind of machine.",
                hint="Fetch or convert a little-endian one.",
            )
        if version not in VERSIONS:
            raise UnsupportedError(
                f"{self._label} is a GGUF of version {version}; versions "
                f"{' and '.join(map(str, VERSIONS))} can be used.",
                hint="Fetch or convert a newer file."
                if version < VERSIONS[0]
                else "Use a newer version of solofile.",
            )
        return int(version)

    def _tensor(self) -> Tensor:
        name = self._string()
        num_dimensions = self._u32()
        if num_dimensions > _MAX_DIMENSIONS:
            raise self._senseless(f"its tensor {name} has {num_dimensions} dimensions")
        shape = struct.unpack(f"<{num_dimensions}Q", self._take(8 * num_dimensions))
        type_id = self._u32()
        if type_id not in TENSOR_TYPES:
            raise UnsupportedError(
                f"{self._label} stores the tensor {name} as type {type_id}, which the llama.cpp "
                "of this version does not know.",
                hint="Use a newer version of solofile, or another quantization.",
            )
        return Tensor(name, shape, type_id, self._u64())

    def _value(self, kind: int) -> Scalar | None:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            self._skip_array(self._u32(), self._u64())
            return None
        if kind not in _SCALARS:
            raise self._senseless(f"it holds a value of the unknown type {kind}")
        scalar = _SCALARS[kind]
        value: Scalar = scalar.unpack(self._take(scalar.size))[0]
        return value

    def _skip_array(self, kind: int, count: int) -> None:
        if kind in _SCALARS:
            self._skip(_SCALARS[kind].size * count)
        elif kind in (_STRING, _ARRAY):
            for _ in range(count):
                if kind == _STRING:
                    self._skip(self._u64())
                else:
                    self._skip_array(self._u32(), self._u64())
        else:
            raise self._senseless(f"it holds an array of the unknown type {kind}")

    def _string(self) -> str:
        return self._take(self._u64()).decode("utf-8", errors="replace")

    def _u32(self) -> int:
        return int(_U32.unpack(self._take(4))[0])

    def _u64(self) -> int:
        return int(_U64.unpack(self._take(8))[0])

    def _take(self, count: int) -> bytes:
        if count > self._size - self._position:
            raise self._cut_short()
        data = self._file.read(count)
        if len(data) < count:
            raise self._cut_short()
        self._position += count
        return data

    def _skip(self, count: int) -> None:
        if count > self._size - self._position:
            raise self._cut_short()
        self._file.seek(count, 1)
        self._position += count

    def _cut_short(self) -> DamagedFileError:
        return cut_short(self._label, "its header is not whole")

    def _senseless(self, why: str) -> DamagedFileError:
        return DamagedFileError(
            f"{self._label} is damaged: {why}.", hint="Copy or download the file again."
        )
