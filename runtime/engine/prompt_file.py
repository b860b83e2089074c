"""A computed prompt as one file, or as a part of one: its tokens and the memory's state.

docs/prompt-cache.md describes the layout.
"""

import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import Self

import msgspec

from runtime.errors import DamagedFileError

MAGIC = b"SOLOKV01"
SUFFIX = ".prompt"
# magic, key, number of tokens, CRC-32 of the state, its size, CRC-32 of these fields and the tokens
_HEADER = struct.Struct("<8s32sIIQI")
_FIELDS_BYTES = _HEADER.size - 4
_TOKEN_BYTES = 4


class PromptFile(msgspec.Struct, frozen=True):
    """What the header says.

    Args:
        path: The file it is, or is inside of.
        key: Names the model and all else the state depends on, 32 bytes.
        tokens: What was computed.
        state_bytes: The state's size.
        state_crc32: Its checksum.
        offset: Its first byte, in bytes from the file's start.
    """

    path: Path
    key: bytes
    tokens: list[int]
    state_bytes: int
    state_crc32: int
    offset: int = 0

    @property
    def is_baked(self) -> bool:
        """Whether it lies inside a solofile, which is never written to."""
        return self.offset > 0

    @classmethod
    def write(cls, path: Path, key: bytes, tokens: list[int], state: memoryview) -> Self:
        """Write the file whole or not at all, whoever else writes or reads it; its owner's alone.

        Raises:
            OSError: It cannot be written.
        """
        file = cls(path, key, tokens, len(state), zlib.crc32(state))
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as target:
                target.write(file._header())
                target.write(state)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return file

    @classmethod
    def open(cls, path: Path, offset: int = 0, size: int | None = None) -> Self:
        """Read a file's header.

        Args:
            path: The file it is, or is inside of.
            offset: Its first byte, in bytes from the file's start.
            size: Its length in bytes; None for all up to the file's end.

        Raises:
            OSError: It cannot be read.
            DamagedFileError: It is not such a file, or cut short.
        """
        with path.open("rb") as source:
            source.seek(offset)
            fixed = source.read(_HEADER.size)
            if len(fixed) < _HEADER.size or not fixed.startswith(MAGIC):
                raise DamagedFileError(f"{path} is no prompt of this version.")
            _, key, num_tokens, state_crc32, state_bytes, header_crc32 = _HEADER.unpack(fixed)
            tokens = source.read(num_tokens * _TOKEN_BYTES)
            size = os.fstat(source.fileno()).st_size - offset if size is None else size
        if size != len(fixed) + num_tokens * _TOKEN_BYTES + state_bytes:
            raise DamagedFileError(f"{path} is cut short.")
        if zlib.crc32(tokens, zlib.crc32(fixed[:_FIELDS_BYTES])) != header_crc32:
            raise DamagedFileError(f"{path} is damaged.")
        return cls(path, key, _from_bytes(tokens), state_bytes, state_crc32, offset)

    def state(self) -> memoryview:
        """Map the state.

        What is inside a solofile is, like the weights beside it, checked by `verify` alone.

        Raises:
            OSError: It cannot be read.
            DamagedFileError: It is damaged.
        """
        begin = self.offset + _HEADER.size + len(self.tokens) * _TOKEN_BYTES
        skipped = begin % mmap.ALLOCATIONGRANULARITY
        with self.path.open("rb") as source:
            if os.fstat(source.fileno()).st_size < begin + self.state_bytes:
                raise DamagedFileError(f"{self.path} is cut short.")
            # A copy that nobody changes: ctypes takes writable buffers alone.
            mapped = mmap.mmap(
                source.fileno(),
                skipped + self.state_bytes,
                access=mmap.ACCESS_COPY,
                offset=begin - skipped,
            )
        state = memoryview(mapped)[skipped:]
        if not self.is_baked and zlib.crc32(state) != self.state_crc32:
            raise DamagedFileError(f"{self.path} is damaged.")
        return state

    def _header(self) -> bytes:
        tokens = _to_bytes(self.tokens)
        fields = (MAGIC, self.key, len(self.tokens), self.state_crc32, self.state_bytes)
        fixed = _HEADER.pack(*fields, 0)[:_FIELDS_BYTES]
        return _HEADER.pack(*fields, zlib.crc32(tokens, zlib.crc32(fixed))) + tokens


def _to_bytes(tokens: list[int]) -> bytes:
    return struct.pack(f"<{len(tokens)}i", *tokens)


def _from_bytes(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // _TOKEN_BYTES}i", data))
