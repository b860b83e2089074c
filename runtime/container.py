"""The container: an executable that is also a ZIP archive of stored, aligned entries.

Layout, from byte 0: launcher, entries, central directory, end records. Offsets count from byte 0
of the whole file, so every zip tool reads it. Only the standard library is used here; the format
in words is docs/format.md.
"""

import hashlib
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from runtime.errors import DamagedFileError
from runtime.zip_records import COPY_AGAIN, Entry, directory_and_end, read_directory

MANIFEST_NAME = "solofile.json"
RUNTIME_NAME = "runtime.pkg"
SIGNATURE_NAME = f"{MANIFEST_NAME}.minisig"

# Windows maps files at multiples of 64 KiB, the largest granularity of the systems we run on.
ALIGNMENT = 65536
# Behind a launcher no aligned entry begins before this. All launchers are smaller, so that weights
# lie at the same place behind each of them, and stay there when it is exchanged.
LAUNCHER_ROOM = 1 << 20
CHUNK_BYTES = 1 << 20
# What the kernel copies at a time: often enough to tell of.
CLONE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Checksums:
    """What tells one content from another: the SHA-256 in hex, and zip's CRC-32."""

    sha256: str
    crc32: int


def header_offset(position: int, name: str, size: int, *, aligned: bool) -> int:
    """Return where the local header of the next entry begins, in bytes from the file's start.

    Args:
        position: Where the one before ends.
        name: The entry's name.
        size: Its length in bytes.
        aligned: Whether its first byte must lie at a multiple of `ALIGNMENT`.
    """
    if not aligned:
        return position
    # The padding lies before the local header: an extra field holds 65,535 bytes at most.
    offset = Entry(name, position, size, 0).offset
    padding = -offset % ALIGNMENT
    if position:
        padding = max(padding, LAUNCHER_ROOM - offset)
    return position + padding


def checksums_of(chunks: Iterable[bytes], advance: Callable[[int], None]) -> Checksums:
    """Return the checksums of bytes that come piece by piece; `advance` hears each one's size."""
    digest, crc32 = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        crc32 = zlib.crc32(chunk, crc32)
        advance(len(chunk))
    return Checksums(digest.hexdigest(), crc32)


class ContainerWriter:
    """Writes a container into an open, empty, seekable file, one entry after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._entries: list[Entry] = []

    def write_launcher(self, source: Path | bytes) -> str:
        """Write the executable that stands before the archive; returns its SHA-256 in hex."""
        data = source if isinstance(source, bytes) else source.read_bytes()
        self._file.write(data)
        return hashlib.sha256(data).hexdigest()

    def add_file(
        self,
        name: str,
        source: Path,
        *,
        offset: int = 0,
        size: int | None = None,
        aligned: bool = False,
        known: Checksums | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> Checksums:
        """Copy a file, or a part of one, in as an entry, hashing it on the way.

        Args:
            name: The entry's name.
            source: The file.
            offset: Where the part begins, in bytes.
            size: How long it is, in bytes; None for all up to the file's end.
            aligned: Whether its first byte must lie at a multiple of `ALIGNMENT`.
            known: Its checksums, where they are known; then nothing is hashed, and where the system
                can copy by itself, nothing is read.
            advance: Told the bytes of each chunk copied.

        Returns:
            The checksums of what was copied.
        """
        # A whole file is read to its end, so that one which grows meanwhile is found out.
        num_read = sys.maxsize if size is None else size
        size = source.stat().st_size - offset if size is None else size
        begin = self._next_header_offset(name, size, aligned=aligned)
        blank = Entry(name, begin, size, 0)
        self._file.seek(blank.offset)
        with source.open("rb") as file:
            copy = RangeCopier(file, offset, self._file)
            if known:
                copy.write_range(size, advance)
            else:
                known = checksums_of(copy.written(_chunks(file, offset, num_read)), advance)
        self._finish_entry(Entry(name, begin, size, known.crc32))
        return known

    def add_bytes(self, name: str, data: bytes) -> str:
        """Write `data` as an entry; returns its SHA-256 in hex."""
        begin = self._next_header_offset(name, len(data), aligned=False)
        entry = Entry(name, begin, len(data), zlib.crc32(data))
        self._file.seek(entry.offset)
        self._file.write(data)
        self._finish_entry(entry)
        return hashlib.sha256(data).hexdigest()

    def finish(self) -> None:
        """Write the central directory and the end records."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(directory_and_end(self._entries, self._file.tell()))

    def _next_header_offset(self, name: str, size: int, *, aligned: bool) -> int:
        return header_offset(self._file.seek(0, os.SEEK_END), name, size, aligned=aligned)

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


class RangeCopier:
    """Writes a part of one file into another, in the kernel where the system allows it.

    File systems that share blocks (btrfs, XFS) then store the copy without using space.
    """

    def __init__(self, source: IO[bytes], offset: int, target: IO[bytes]) -> None:
        self._source = source
        self._source_offset = offset
        self._target = target
        self._in_kernel = hasattr(os, "copy_file_range")
        if self._in_kernel:
            target.flush()

    def written(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Write the part's chunks as they pass."""
        for chunk in chunks:
            self.write(chunk)
            yield chunk

    def write(self, chunk: bytes) -> None:
        """Write the part's next bytes, which were read already."""
        done = self._copy(len(chunk))
        if done < len(chunk):
            self._target.write(chunk[done:])
            self._source_offset += len(chunk) - done

    def write_range(self, size: int, advance: Callable[[int], None]) -> None:
        """Write the part's next `size` bytes, or as many as there are."""
        while size and (done := self._copy(min(size, CLONE_BYTES))):
            advance(done)
            size -= done
        for chunk in _chunks(self._source, self._source_offset, size):
            self._target.write(chunk)
            advance(len(chunk))

    def _copy(self, size: int) -> int:
        """Copy up to `size` bytes in the kernel and return how many."""
        done = 0
        while self._in_kernel and done < size:
            try:
                copied = os.copy_file_range(
                    self._source.fileno(), self._target.fileno(), size - done,
                    self._source_offset, self._target.tell(),
                )  # fmt: skip
            except OSError:
                copied = 0
            self._in_kernel = copied > 0
            self._target.seek(copied, os.SEEK_CUR)
            self._source_offset += copied
            done += copied
        return done


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
            return cls(path, file, read_directory(file, path))
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
        """Return the file's bytes from `start` up to `end`, piece by piece."""
        return _chunks(self._file, start, end - start)


def _chunks(file: IO[bytes], offset: int, size: int) -> Iterator[bytes]:
    file.seek(offset)
    while size > 0 and (chunk := file.read(min(CHUNK_BYTES, size))):
        size -= len(chunk)
        yield chunk
