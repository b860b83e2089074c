"""A container that is only planned: which bytes lie where in it, and where they come from."""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builder.file_range import FileRange
from runtime.container import CHUNK_BYTES, Checksums, checksums_of, header_offset
from runtime.zip_records import Entry, directory_and_end


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a file's bytes.

    Args:
        offset: Where it begins, in bytes from the file's start.
        source: The bytes, or where they are to be found.
    """

    offset: int
    source: FileRange | bytes

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.size

    @property
    def end(self) -> int:
        """The offset just behind its last byte."""
        return self.offset + self.size

    @property
    def is_blank(self) -> bool:
        """Whether it is known to be zeros, which a new file has without them being written."""
        return isinstance(self.source, bytes) and self.source.count(0) == self.size

    def is_of(self, path: Path) -> bool:
        """Say whether it is a part of that very file."""
        return isinstance(self.source, FileRange) and self.source.path.resolve() == path.resolve()

    def stays_in(self, path: Path) -> bool:
        """Say whether it is a part of that very file, where it lies already."""
        source = self.source
        return isinstance(source, FileRange) and source.offset == self.offset and self.is_of(path)


class Plan:
    """Takes the parts of a container as its writer does, and notes where each will lie.

    Attributes:
        pieces: All of the file, in its order and without gaps.
    """

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._entries: list[Entry] = []

    @property
    def size(self) -> int:
        """The size of the file as far as it is planned, in bytes."""
        return self.pieces[-1].end if self.pieces else 0

    def write_launcher(self, source: Path | bytes) -> str:
        """Take the executable that stands before the archive; returns its SHA-256 in hex."""
        data = source if isinstance(source, bytes) else source.read_bytes()
        self._add(data)
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
        """Take a file, or a part of one, as an entry; it is read if its checksums are not known.

        Args:
            name: The entry's name.
            source: The file.
            offset: Where the part begins, in bytes.
            size: How long it is, in bytes; None for all up to the file's end.
            aligned: Whether its first byte must lie at a multiple of `ALIGNMENT`.
            known: Its checksums, where they are known.
            advance: Told the bytes of each chunk read.

        Returns:
            The checksums.
        """
        size = source.stat().st_size - offset if size is None else size
        data = FileRange(source, offset, size)
        known = known or _checksums(data, advance)
        begin = header_offset(self.size, name, size, aligned=aligned)
        self._add_entry(Entry(name, begin, size, known.crc32), data)
        return known

    def add_bytes(self, name: str, data: bytes) -> str:
        """Take `data` as an entry; returns its SHA-256 in hex."""
        self._add_entry(Entry(name, self.size, len(data), zlib.crc32(data)), data)
        return hashlib.sha256(data).hexdigest()

    def finish(self) -> None:
        """Put the directory behind the last entry."""
        self._add(directory_and_end(self._entries, self.size))

    def _add_entry(self, entry: Entry, data: FileRange | bytes) -> None:
        self._add(bytes(entry.header_offset - self.size))
        self._add(entry.local_header())
        self._add(data)
        self._entries.append(entry)

    def _add(self, source: FileRange | bytes) -> None:
        piece = Piece(self.size, source)
        if piece.size:
            self.pieces.append(piece)


def _checksums(data: FileRange, advance: Callable[[int], None]) -> Checksums:
    with data.path.open("rb") as file:
        file.seek(data.offset)
        sizes = range(0, data.size, CHUNK_BYTES)
        return checksums_of(
            (file.read(min(CHUNK_BYTES, data.size - done)) for done in sizes), advance
        )
