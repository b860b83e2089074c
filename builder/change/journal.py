"""What a file held before it is changed in place, beside it, until the change is whole.

The order of the writes makes a killed process, and a power cut, harmless at any moment:

1. The journal is written under a temporary name and synced; it takes its name, and the folder is
   synced. Up to here nothing of the file is touched, and from here on the journal is whole.
2. The file is overwritten and synced.
3. The journal is removed, and the folder synced.

A journal that is there says that the second step may have been interrupted. Then the old bytes are
written back, in the same order: synced before the journal goes. That may be interrupted, too, and
is done again by the next command. Bytes that are still the old ones are not written, so a full disk
stops no restoring: whatever was a hole stays one, and all else has its blocks.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Self

import msgspec

from builder import console
from builder.change.writing import explained_changes, write_all
from builder.files import CHUNK_BYTES, atomic_file
from runtime.errors import DamagedFileError, UsageError

SUFFIX = ".journal"
_MAGIC = b"SOLOJNL1"
_NUMBER_BYTES = 8
_DIGEST_BYTES = 32
_NUM_SAMPLES = 64
_SAMPLE_BYTES = 4096


class Span(msgspec.Struct, frozen=True):
    """A run of a file's bytes: where it begins, and how many there are."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """The offset just behind its last byte."""
        return self.offset + self.size


class _Head(msgspec.Struct, frozen=True):
    """What a journal begins with.

    Args:
        size_bytes: The file's size.
        spans: What of the file it holds, in order and without overlaps.
        samples: Runs of the file that the change leaves as they are.
        samples_sha256: Their digest, in hex, which tells the file from others.
    """

    size_bytes: int
    spans: list[Span]
    samples: list[Span]
    samples_sha256: str


def journal_path(path: Path) -> Path:
    """Return where the journal of a file lies while it is changed."""
    path = path.resolve()
    return path.with_name(f"{path.name}{SUFFIX}")


class Journal:
    """A journal that is whole.

    Attributes:
        path: The file that is changed.
    """

    def __init__(self, path: Path, head: _Head, data_offset: int) -> None:
        self.path = path
        self._head = head
        self._data_offset = data_offset

    @classmethod
    def write(cls, path: Path, spans: Sequence[Span]) -> Self:
        """Keep parts of a file, on the disk once this returns.

        Args:
            path: The file; nobody else changes it.
            spans: What is going to be overwritten or cut off, in order and without overlaps.

        Raises:
            DiskError: The disk is full, or the folder is not writable.
        """
        size = path.stat().st_size
        samples = _samples(size, spans)
        journal = journal_path(path)
        with path.open("rb") as old:
            head = _Head(size, list(spans), samples, _digest(old, samples))
            encoded = msgspec.json.encode(head)
            start = _MAGIC + len(encoded).to_bytes(_NUMBER_BYTES, "little") + encoded
            digest = hashlib.sha256()
            with atomic_file(journal, mode=path.stat().st_mode & 0o666) as file:
                for chunk in chain([start], *(_chunks(old, span) for span in spans)):
                    digest.update(chunk)
                    file.write(chunk)
                file.write(digest.digest())
        sync_folder(journal.parent)
        return cls(path, head, len(start))

    @classmethod
    def find(cls, path: Path) -> Self | None:
        """Return a file's journal; None where there is none.

        Raises:
            DamagedFileError: It is damaged.
            UsageError: Somebody else put it there.
        """
        try:
            file = journal_path(path).open("rb")
        except FileNotFoundError:
            return None
        with file:
            if not _is_trusted(file, path):
                raise UsageError(
                    f"{journal_path(path)} is another user's, so {path} is not restored by it.",
                    hint="Remove it if that file is as it should be.",
                )
            size = file.seek(0, os.SEEK_END) - _DIGEST_BYTES
            found = hashlib.sha256()
            for chunk in _chunks(file, Span(0, max(0, size))):
                found.update(chunk)
            if size < len(_MAGIC) + _NUMBER_BYTES or file.read(_DIGEST_BYTES) != found.digest():
                raise DamagedFileError(
                    f"{path} was being changed, and {journal_path(path)}, which tells what it was "
                    "before, is damaged.",
                    hint="Make it anew, and remove the journal.",
                )
            file.seek(len(_MAGIC))
            head_size = int.from_bytes(file.read(_NUMBER_BYTES), "little")
            head = msgspec.json.decode(file.read(head_size), type=_Head)
            return cls(path, head, file.tell())

    def restore(self) -> None:
        """Write back what the file held, and remove the journal.

        Raises:
            DiskError: The file cannot be written.
            UsageError: It runs, or the journal is another file's.
        """
        with explained_changes(self.path), self.path.open("r+b", buffering=0) as file:
            if _digest(file, self._head.samples) != self._head.samples_sha256:
                raise UsageError(
                    f"{journal_path(self.path)} belongs to another file than {self.path}.",
                    hint="Remove it if that file is as it should be.",
                )
            for offset, old in self._old_chunks():
                file.seek(offset)
                if file.read(len(old)) != old:
                    file.seek(offset)
                    write_all(file, old)
            file.truncate(self._head.size_bytes)
            os.fsync(file.fileno())
        self.remove()

    def remove(self) -> None:
        """Give up what the file was: what it is now is on the disk."""
        journal = journal_path(self.path)
        with explained_changes(self.path):
            journal.unlink(missing_ok=True)
            sync_folder(journal.parent)

    def old_bytes(self, start: int, end: int) -> Iterator[bytes]:
        """Yield what the file held from `start` to `end`, whatever has been overwritten by now."""
        with self.path.open("rb") as file, journal_path(self.path).open("rb") as journal:
            kept_at = self._data_offset
            for span in self._head.spans:
                if start < min(span.offset, end):
                    yield from _chunks(file, Span(start, min(span.offset, end) - start))
                    start = min(span.offset, end)
                if start < min(span.end, end):
                    size = min(span.end, end) - start
                    yield from _chunks(journal, Span(kept_at + start - span.offset, size))
                    start += size
                kept_at += span.size
            yield from _chunks(file, Span(start, end - start))

    def _old_chunks(self) -> Iterator[tuple[int, bytes]]:
        """Yield what it holds, each with its offset in the file."""
        with journal_path(self.path).open("rb") as journal:
            kept_at = self._data_offset
            for span in self._head.spans:
                offset = span.offset
                for chunk in _chunks(journal, Span(kept_at, span.size)):
                    yield offset, chunk
                    offset += len(chunk)
                kept_at += span.size


def restore_interrupted(path: Path) -> None:
    """Undo a change of a file that was interrupted, and say so.

    Args:
        path: A file that nobody else changes.

    Raises:
        DamagedFileError: Its journal is damaged.
        DiskError: The file cannot be written.
        UsageError: The file runs, or the journal is another file's or another user's.
    """
    if journal := Journal.find(path):
        journal.restore()
        console.info(f"A change of {path} was interrupted; it is again what it was before.")


def sync_folder(folder: Path) -> None:
    """Make names that were given or removed in a folder last, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_trusted(journal: IO[bytes], path: Path) -> bool:
    """Say whether a journal is by somebody who could have written the file itself.

    In a folder like /tmp anybody can lay one beside a file of someone else's.
    """
    if sys.platform == "win32":
        return True
    return os.fstat(journal.fileno()).st_uid in (0, os.getuid(), path.stat().st_uid)


def _samples(size: int, spans: Sequence[Span]) -> list[Span]:
    """Return short runs from all over the parts of a file that are not in `spans`."""
    starts = [0, *(span.end for span in spans)]
    ends = [*(span.offset for span in spans), size]
    kept = [Span(start, end - start) for start, end in zip(starts, ends, strict=True)]
    step = max(_SAMPLE_BYTES, sum(span.size for span in kept if span.size > 0) // _NUM_SAMPLES)
    return [
        Span(offset, min(_SAMPLE_BYTES, span.end - offset))
        for span in kept
        for offset in range(span.offset, span.end, step)
    ]


def _digest(file: IO[bytes], spans: Sequence[Span]) -> str:
    digest = hashlib.sha256()
    for span in spans:
        for chunk in _chunks(file, span):
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(file: IO[bytes], span: Span) -> Iterator[bytes]:
    position = span.offset
    while position < span.end:
        file.seek(position)
        chunk = file.read(min(CHUNK_BYTES, span.end - position))
        if not chunk:
            return
        yield chunk
        position += len(chunk)
