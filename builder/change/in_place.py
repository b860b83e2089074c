"""A file changed where it lies, such that it is the old one or the new one whatever happens."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from builder.change.journal import Journal, Span, journal_path, restore_interrupted
from builder.change.plan import Piece
from builder.change.running import require_not_running
from builder.change.writing import explained_changes, write_all
from builder.file_range import FileRange
from builder.files import CHUNK_BYTES, require_space
from builder.locks import opened_alone
from runtime.errors import DamagedFileError
from runtime.zip_records import END_BYTES


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep other commands of the builder from changing a file; one that was interrupted is undone.

    Raises:
        DamagedFileError: An interrupted change cannot be undone: its journal is damaged.
        DiskError: The file cannot be written.
        UsageError: It runs, or the journal beside it is another file's.
    """
    with opened_alone(path, "rb", f"Another command changes {path}; waiting for it."):
        restore_interrupted(path)
        yield


def recover(path: Path) -> None:
    """Undo a change of a file that was interrupted; one that goes on is waited for.

    Args:
        path: The file; what is none was not changed.

    Raises:
        DamagedFileError: It cannot be undone: its journal is damaged.
        DiskError: The file cannot be written.
        UsageError: It runs, or the journal beside it is another file's.
    """
    try:
        is_interrupted = path.is_file() and journal_path(path).is_file()
    except (OSError, ValueError):  # A text that is no path.
        return
    if is_interrupted:
        with held(path):
            pass


@contextmanager
def changed_in_place(
    path: Path, pieces: Sequence[Piece], *, advance: Callable[[int], None] = lambda _: None
) -> Iterator[None]:
    """Make a container what pieces say; if the block fails, it becomes again what it was.

    What lies in the file already, at its place, is not written. Pieces may be parts of the file
    that move. The first thing that is overwritten is the container's end, and the last that is
    written is the new one, each synced apart from all else: nothing reads a file as a container
    that is neither the old nor the new one.

    While the block runs, the file is on the disk as it is to be, and nobody has it open for
    writing: it can be started.

    Args:
        path: A container that is held (`held`).
        pieces: All of the new file, in its order and without gaps; the last one its directory.
        advance: Told the bytes of each chunk written.

    Raises:
        DamagedFileError: A source became shorter meanwhile.
        DiskError: The file cannot be written, or the disk is full.
        UsageError: It runs at this moment.
    """
    require_not_running(path)
    old_size, new_size = path.stat().st_size, pieces[-1].end
    *changes, end = _changes(path, pieces)
    spans = _overwritten([*changes, end], old_size, new_size)
    with explained_changes(path), path.open("r+b", buffering=0) as file:
        needed = sum(span.size for span in spans) + max(0, new_size - old_size)
        require_space(path.parent, needed, purpose="what changes")
        journal = Journal.write(path, spans)
        try:
            _grow(file, old_size, new_size)
            _write(file, _blank_end(old_size), journal, lambda _: None)
            os.fsync(file.fileno())
            for piece in changes:
                _write(file, piece, journal, advance)
            os.fsync(file.fileno())
            _write(file, end, journal, advance)
            file.truncate(new_size)
            os.fsync(file.fileno())
        except BaseException:
            journal.restore()
            raise
    try:
        yield
    except BaseException:
        journal.restore()
        raise
    journal.remove()


def num_changed_bytes(path: Path, pieces: Sequence[Piece]) -> int:
    """Return how many bytes changing a file in place would write."""
    return sum(piece.size for piece in _changes(path, pieces))


def _changes(path: Path, pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces that are not in a file yet, or will not stay there, and the last one."""
    blank = _blank_end(path.stat().st_size)
    with path.open("rb") as file:

        def is_there(piece: Piece) -> bool:
            if piece.end > blank.offset:
                return False
            if isinstance(piece.source, bytes):
                file.seek(piece.offset)
                return file.read(piece.size) == piece.source
            return piece.stays_in(path)

        return [piece for piece in pieces[:-1] if not is_there(piece)] + [pieces[-1]]


def _blank_end(size: int) -> Piece:
    """Return zeros for the record that a container of that size ends with."""
    return Piece(size - END_BYTES, bytes(END_BYTES))


def _overwritten(changes: Sequence[Piece], old_size: int, new_size: int) -> list[Span]:
    """Return what of the old file is overwritten or cut off."""
    ranges = [(piece.offset, min(piece.end, old_size)) for piece in changes]
    ranges += [(new_size, old_size), (old_size - END_BYTES, old_size)]
    spans: list[Span] = []
    for start, end in sorted(ranges):
        if spans and start <= spans[-1].end:
            start, end = spans[-1].offset, max(end, spans.pop().end)
        if start < end:
            spans.append(Span(start, end - start))
    return spans


def _grow(file: IO[bytes], old_size: int, new_size: int) -> None:
    """Take the room behind a file's end before anything is overwritten, where the system can."""
    if new_size > old_size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), old_size, new_size - old_size)


def _write(
    file: IO[bytes],
    piece: Piece,
    journal: Journal,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    file.seek(piece.offset)
    for chunk in _chunks(piece.source, journal):
        write_all(file, chunk)
        advance(len(chunk))
    if file.tell() != piece.end:
        raise DamagedFileError(
            f"{piece.source!s} became shorter while it was being copied.",
            hint="Run this again once nothing writes to it.",
        )


def _chunks(source: FileRange | bytes, journal: Journal) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
    elif source.path.resolve() == journal.path.resolve():
        yield from journal.old_bytes(source.offset, source.offset + source.size)
    else:
        with source.path.open("rb") as other:
            other.seek(source.offset)
            left = source.size
            while chunk := other.read(min(CHUNK_BYTES, left)):
                yield chunk
                left -= len(chunk)
