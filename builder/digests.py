"""Digests of files, each read once by a process.

A recipe may quantize a model several times, and pack it for several systems.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from builder import console
from builder.entry_writer import EntryWriter
from builder.file_range import FileRange
from builder.files import sha256_of
from runtime.container import Checksums
from runtime.errors import DamagedFileError

# By what changes whenever a file's content does.
_known: dict[tuple[int, ...], str] = {}
_packed: dict[tuple[int, ...], Checksums] = {}


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


def believe(data: FileRange, checksums: Checksums) -> None:
    """Take a file's checksums, or those of a part of one, from who knows them, and do not read it.

    Args:
        data: The file.
        checksums: Its checksums, as they stand in a solofile.
    """
    identity = _identity(data)
    _packed[identity], _known[identity] = checksums, checksums.sha256


def add_file(
    writer: EntryWriter,
    name: str,
    data: FileRange,
    *,
    aligned: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> str:
    """Copy a file, or a part of one, into a container; one that was packed before is not read.

    Args:
        writer: Writes the container.
        name: The entry's name.
        data: The file.
        aligned: Whether it will be mapped.
        advance: Told the bytes of each chunk copied.

    Returns:
        Its SHA-256 in hex.

    Raises:
        DamagedFileError: It changed meanwhile.
    """
    identity = _identity(data)
    checksums = writer.add_file(
        name,
        data.path,
        offset=data.offset,
        size=data.size if data.name else None,
        aligned=aligned,
        known=_packed.get(identity),
        advance=advance,
    )
    if _identity(data) != identity:
        raise DamagedFileError(
            f"{data} changed while it was being packed.",
            hint="Run this again once nothing writes to it.",
        )
    _packed[identity] = checksums
    _known[identity] = checksums.sha256
    return checksums.sha256


def _identity(data: FileRange) -> tuple[int, ...]:
    facts = data.path.stat()
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, data.offset, data.size
