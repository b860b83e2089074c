"""Digests of files, each read once by a process: a recipe may quantize a model several times."""

from collections.abc import Sequence
from pathlib import Path

from builder import console
from builder.file_range import FileRange
from builder.files import sha256_of

# By what changes whenever a file's content does.
_known: dict[tuple[int, ...], str] = {}


def digests_of(sources: Sequence[Path | FileRange]) -> list[str]:
    """Return the SHA-256 of each file, or part of one, in hex, with a bar while they are read."""
    ranges = [FileRange.of(source) for source in sources]
    unread = [data for data in ranges if _identity(data) not in _known]
    if unread:
        size = sum(data.size for data in unread)
        with console.progress("Reading the model", size) as advance:
            for data in unread:
                identity = _identity(data)
                _known[identity] = sha256_of(data, advance)
    return [_known[_identity(data)] for data in ranges]


def _identity(data: FileRange) -> tuple[int, ...]:
    facts = data.path.stat()
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, data.offset, data.size
