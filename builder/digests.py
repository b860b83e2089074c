"""Digests of files, each read once by a process: a recipe may quantize a model several times."""

from collections.abc import Sequence
from pathlib import Path

from builder import console
from builder.files import sha256_of

# By what changes whenever a file's content does.
_known: dict[tuple[int, int, int, int], str] = {}


def digests_of(paths: Sequence[Path]) -> list[str]:
    """Return the SHA-256 of each file in hex, with a bar while they are read."""
    unread = [path for path in paths if _identity(path) not in _known]
    if unread:
        size = sum(path.stat().st_size for path in unread)
        with console.progress("Reading the model", size) as advance:
            for path in unread:
                identity = _identity(path)
                _known[identity] = sha256_of(path, advance)
    return [_known[_identity(path)] for path in paths]


def _identity(path: Path) -> tuple[int, int, int, int]:
    facts = path.stat()
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
