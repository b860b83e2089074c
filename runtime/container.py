"""The container: an executable that is also a ZIP archive of stored, aligned entries.

Layout, from byte 0: launcher, entries, central directory, end records. Offsets count from byte 0
of the whole file, so every zip tool reads it. Only the standard library is used here; the format
in words is docs/format.md, the records are those of PKWARE's APPNOTE.TXT 6.3.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from runtime.errors import DamagedFileError

MANIFEST_NAME = "solofile.json"
RUNTIME_NAME = "runtime.pkg"

# Windows maps files at multiples of 64 KiB, the largest granularity of the systems we run on.
ALIGNMENT = 65536
CHUNK_BYTES = 1 << 20

# APPNOTE 4.3.7: signature, version needed, flags, method, time, date, crc-32, compressed size,
# size, name length, extra length.
_LOCAL = struct.Struct("<4s5H3L2H")
# APPNOTE 4.3.12: signature, version made by, version needed, flags, method, time, date, crc-32,
# compressed size, size, name, extra and comment length, disk, internal and external attributes,
# header offset.
_CENTRAL = struct.Struct("<4s6H3L5H2L")
# APPNOTE 4.3.14: signature, size of the rest, versions, disks, entries twice, directory size
# and offset.
_END64 = struct.Struct("<4sQ2H2L4Q")
# APPNOTE 4.3.15: signature, disk, offset of the record above, disks.
_LOCATOR64 = struct.Struct("<4sLQL")
# APPNOTE 4.3.16: signature, disks, entries twice, directory size and offset, comment length.
_END = struct.Struct("<4s4H2LH")

_LOCAL_MAGIC, _CENTRAL_MAGIC, _END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64_MAGIC, _LOCATOR64_MAGIC = b"PK\x06\x06", b"PK\x06\x07"
_ZIP64_EXTRA_ID = 1
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_UTF8_FLAG = 1 << 11
_VERSION_NEEDED, _VERSION_ZIP64, _MADE_BY_UNIX = 20, 45, 3 << 8
_DATE_1980_01_01 = 0x21
_REGULAR_FILE_0644 = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored member of a container.

    Args:
        name: Its path inside the archive, with forward slashes.
        header_offset: Where its local header begins, in bytes from the file's start.
        size: Its length in bytes.
        crc32: The checksum every zip tool looks at.
    """

    name: str
    header_offset: int
    size: int
    crc32: int

    @property
    def offset(self) -> int:
        """Where its first byte of data lies, in bytes from the file's start."""
        return self.header_offset + len(self.local_header())

    @property
    def end(self) -> int:
        """The offset just behind its last byte."""
        return self.offset + self.size

    def local_header(self) -> bytes:
        """Return the record that stands before the data."""
        name = self.name.encode()
        extra = _zip64_extra([self.size, self.size] if self.size >= _MAX32 else [])
        size = min(self.size, _MAX32)
        return (
            _LOCAL.pack(
                _LOCAL_MAGIC, _VERSION_ZIP64 if extra else _VERSION_NEEDED, _UTF8_FLAG, 0, 0,
                _DATE_1980_01_01, self.crc32, size, size, len(name), len(extra),
            )
            + name
            + extra
        )  # fmt: skip

    def central_record(self) -> bytes:
        """Return the record that stands in the central directory."""
        name = self.name.encode()
        wide = [self.size, self.size] if self.size >= _MAX32 else []
        if self.header_offset >= _MAX32:
            wide.append(self.header_offset)
        extra = _zip64_extra(wide)
        size = min(self.size, _MAX32)
        version = _VERSION_ZIP64 if extra else _VERSION_NEEDED
        return (
            _CENTRAL.pack(
                _CENTRAL_MAGIC, _MADE_BY_UNIX | version, version, _UTF8_FLAG, 0, 0,
                _DATE_1980_01_01, self.crc32, size, size, len(name), len(extra), 0, 0, 0,
                _REGULAR_FILE_0644, min(self.header_offset, _MAX32),
            )
            + name
            + extra
        )  # fmt: skip


class ContainerWriter:
    """Writes a container into an open, empty, seekable file, one entry after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._entries: list[Entry] = []

    def write_launcher(self, source: Path) -> str:
        """Copy the executable that stands before the archive; returns its SHA-256 in hex."""
        digest = hashlib.sha256()
        for chunk in _chunks(source):
            digest.update(chunk)
            self._file.write(chunk)
        return digest.hexdigest()

    def add_file(
        self,
        name: str,
        source: Path,
        *,
        aligned: bool = False,
        advance: Callable[[int], None] = lambda _: None,
    ) -> str:
        """Copy a file in as an entry, hashing it on the way.

        Args:
            name: The entry's name.
            source: The file.
            aligned: Whether its first byte must lie at a multiple of `ALIGNMENT`.
            advance: Told the bytes of each chunk copied.

        Returns:
            The SHA-256 of what was copied, in hex.
        """
        size = source.stat().st_size
        header_offset = self._next_header_offset(name, size, aligned=aligned)
        blank = Entry(name, header_offset, size, 0)
        self._file.seek(blank.offset)
        digest = hashlib.sha256()
        crc32 = 0
        with source.open("rb") as file:
            copy = _RangeCopier(file, self._file)
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                crc32 = zlib.crc32(chunk, crc32)
                copy.write(chunk)
                advance(len(chunk))
        self._finish_entry(Entry(name, header_offset, size, crc32))
        return digest.hexdigest()

    def add_bytes(self, name: str, data: bytes) -> str:
        """Write `data` as an entry; returns its SHA-256 in hex."""
        header_offset = self._next_header_offset(name, len(data), aligned=False)
        entry = Entry(name, header_offset, len(data), zlib.crc32(data))
        self._file.seek(entry.offset)
        self._file.write(data)
        self._finish_entry(entry)
        return hashlib.sha256(data).hexdigest()

    def finish(self) -> None:
        """Write the central directory and the end records."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(_directory_and_end(self._entries, self._file.tell()))

    def _next_header_offset(self, name: str, size: int, *, aligned: bool) -> int:
        position = self._file.seek(0, os.SEEK_END)
        if not aligned:
            return position
        # The padding lies before the local header: an extra field holds 65,535 bytes at most.
        return position + -Entry(name, position, size, 0).offset % ALIGNMENT

    def _finish_entry(self, entry: Entry) -> None:
        if self._file.tell() != entry.end:
            raise DamagedFileError(
                f"{entry.name} changed its size while it was being packed.",
                hint="Run this again once nothing writes to it.",
            )
        self._file.seek(entry.header_offset)
        self._file.write(entry.local_header())
        self._file.seek(0, os.SEEK_END)
        self._entries.append(entry)


class _RangeCopier:
    """Writes what was read from one file into another, in the kernel where the systems allows it.

    File systems that share blocks (btrfs, XFS) then store the copy without using space.
    """

    def __init__(self, source: IO[bytes], target: IO[bytes]) -> None:
        self._target = target
        self._source_offset = 0
        self._source = source.fileno()
        self._in_kernel = hasattr(os, "copy_file_range")
        if self._in_kernel:
            target.flush()

    def write(self, chunk: bytes) -> None:
        done = 0
        while self._in_kernel and done < len(chunk):
            try:
                copied = os.copy_file_range(
                    self._source, self._target.fileno(), len(chunk) - done,
                    self._source_offset + done, self._target.tell(),
                )  # fmt: skip
            except OSError:
                self._in_kernel = False
                break
            if not copied:
                self._in_kernel = False
                break
            self._target.seek(copied, os.SEEK_CUR)
            done += copied
        if done < len(chunk):
            self._target.write(chunk[done:])
        self._source_offset += len(chunk)


class Container(AbstractContextManager["Container"]):
    """A container opened for reading."""

    def __init__(self, path: Path, file: IO[bytes], entries: list[Entry]) -> None:
        self.path = path
        self._file = file
        self.entries = {entry.name: entry for entry in entries}

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open `path` and read its central directory.

        Raises:
            DamagedFileError: It is no container, or cut short.
            OSError: It cannot be read.
        """
        file = path.open("rb")
        try:
            return cls(path, file, _read_directory(file, path))
        except BaseException:
            file.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def entry(self, name: str) -> Entry:
        """Return the entry called `name`.

        Raises:
            DamagedFileError: There is none.
        """
        if name not in self.entries:
            raise DamagedFileError(f"{self.path} holds no {name}.", hint=COPY_AGAIN)
        return self.entries[name]

    def read(self, name: str) -> bytes:
        """Return the bytes of a small entry, checked against its checksum.

        Raises:
            DamagedFileError: There is none of that name, or its bytes were altered.
        """
        entry = self.entry(name)
        data = b"".join(self.chunks(name))
        if zlib.crc32(data) != entry.crc32:
            raise DamagedFileError(f"{name} inside {self.path} is damaged.", hint=COPY_AGAIN)
        return data

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield an entry's bytes piece by piece, unchecked.

        Raises:
            DamagedFileError: There is none of that name.
        """
        entry = self.entry(name)
        yield from self.range(entry.offset, entry.end)

    def range(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the file's bytes from `start` up to `end`, piece by piece."""
        self._file.seek(start)
        left = end - start
        while left > 0 and (chunk := self._file.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

    def misplaced(self, launcher_size: int) -> str | None:
        """Check every byte that belongs to no entry: padding, headers, directory, end records.

        Args:
            launcher_size: Where the launcher ends and the archive begins.

        Returns:
            The first thing that is not as the writer would have written it, or None.
        """
        position = launcher_size
        for entry in self.entries.values():
            if any(any(chunk) for chunk in self.range(position, entry.header_offset)):
                return f"the padding before {entry.name}"
            if b"".join(self.range(entry.header_offset, entry.offset)) != entry.local_header():
                return f"the header of {entry.name}"
            position = entry.end
        expected = _directory_and_end(list(self.entries.values()), position)
        if b"".join(self.range(position, self.path.stat().st_size)) != expected:
            return "the central directory"
        return None


COPY_AGAIN = "Copy or download the file again."


def is_container(path: Path) -> bool:
    """Say whether `path` ends the way a container does."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END.size))
        return file.read(4) == _END_MAGIC


def _zip64_extra(values: list[int]) -> bytes:
    if not values:
        return b""
    return struct.pack(f"<2H{len(values)}Q", _ZIP64_EXTRA_ID, 8 * len(values), *values)


def _directory_and_end(entries: list[Entry], offset: int) -> bytes:
    """Return everything that follows the last entry, for a directory that starts at `offset`."""
    directory = b"".join(entry.central_record() for entry in entries)
    count, size = len(entries), len(directory)
    end = b""
    if offset >= _MAX32:
        end = _END64.pack(
            _END64_MAGIC, _END64.size - 12, _MADE_BY_UNIX | _VERSION_ZIP64, _VERSION_ZIP64,
            0, 0, count, count, size, offset,
        ) + _LOCATOR64.pack(_LOCATOR64_MAGIC, 0, offset + size, 1)  # fmt: skip
    end += _END.pack(_END_MAGIC, 0, 0, count, count, size, min(offset, _MAX32), 0)
    return directory + end


def _read_directory(file: IO[bytes], path: Path) -> list[Entry]:
    cut_short = DamagedFileError(
        f"{path} is not a solofile, or it is cut short or damaged.", hint=COPY_AGAIN
    )
    file_size = file.seek(0, os.SEEK_END)
    if file_size < _END.size:
        raise cut_short
    file.seek(file_size - _END.size)
    signature, _, _, _, count, size, offset, comment_length = _END.unpack(file.read(_END.size))
    if signature != _END_MAGIC or comment_length:
        raise cut_short
    directory_end = file_size - _END.size
    if offset == _MAX32:
        directory_end -= _END64.size + _LOCATOR64.size
        file.seek(max(0, directory_end))
        record = file.read(_END64.size)
        if len(record) < _END64.size or record[:4] != _END64_MAGIC:
            raise cut_short
        *_, count, size, offset = _END64.unpack(record)
    if offset + size != directory_end:
        raise cut_short
    file.seek(offset)
    entries = _parse_directory(file.read(size), count)
    if entries is None or any(entry.end > offset for entry in entries):
        raise cut_short
    return entries


def _parse_directory(directory: bytes, count: int) -> list[Entry] | None:
    """Return the entries of a central directory, or None where its records make no sense."""
    entries = []
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size > len(directory):
            return None
        (signature, _, _, _, method, _, _, crc32, _, size, name_length, extra_length,
         comment_length, _, _, _, header_offset) = _CENTRAL.unpack_from(directory, position)  # fmt: skip
        if signature != _CENTRAL_MAGIC or method:
            return None
        name_start = position + _CENTRAL.size
        extra_start = name_start + name_length
        position = extra_start + extra_length + comment_length
        if position > len(directory):
            return None
        extra = directory[extra_start : extra_start + extra_length]
        wide = (
            iter(struct.unpack_from(f"<{(len(extra) - 4) // 8}Q", extra, 4)) if extra else iter(())
        )
        try:
            if size == _MAX32:
                size = next(wide)
                next(wide)
            if header_offset == _MAX32:
                header_offset = next(wide)
            name = directory[name_start:extra_start].decode()
        except (StopIteration, UnicodeDecodeError):
            return None
        entries.append(Entry(name, header_offset, size, crc32))
    return entries


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
