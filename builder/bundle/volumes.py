"""Files that are cut into parts, because a disk takes none as large as they are."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.console import human_bytes
from builder.files import CHUNK_BYTES, synced_file
from builder.size import parse_size
from runtime.errors import UsageError

MEBIBYTE = 1 << 20
_MIN_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Volumes:
    """What a disk takes.

    Args:
        max_file_bytes: The largest file.
        part_bytes: How long the parts of larger ones are; the last may be shorter.
    """

    max_file_bytes: int
    part_bytes: int


# FAT32 keeps a file's size in 32 bits. Parts are whole MiB, which copying tools like.
MEDIA: Mapping[str, Volumes] = {"fat32": Volumes((4 << 30) - 1, (4 << 30) - MEBIBYTE)}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file: what it is called, and its SHA-256 in hex."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SplitFile:
    """A file in parts.

    Args:
        name: What it is called in one piece.
        size: Its size in bytes.
        sha256: Its digest, in hex.
        parts: They, in order.
    """

    name: str
    size: int
    sha256: str
    parts: list[Part]


def parse_volume_size(text: str) -> Volumes:
    """Return what a disk takes whose files may be so large.

    Raises:
        UsageError: It is no size, or one too small for what is not cut.
    """
    size = parse_size(text)
    if size is None:
        raise UsageError(f"{text} is no size.", hint="Write it as in --volume-size 700MB.")
    if size < MEBIBYTE:
        raise UsageError(
            f"Volumes of {human_bytes(size)} are too small.", hint="Take 1 MiB at least."
        )
    return Volumes(size, size)


def split_file(path: Path, part_bytes: int, advance: Callable[[int], None]) -> SplitFile:
    """Cut a file into parts beside it, called as 7-Zip calls them, and remove it.

    Args:
        path: The file.
        part_bytes: How long a part is.
        advance: Told the bytes of each chunk copied.
    """
    size = path.stat().st_size
    count = -(-size // part_bytes)
    digits = max(_MIN_DIGITS, len(str(count)))
    whole = hashlib.sha256()
    parts = []
    with path.open("rb") as source:
        for number in range(1, count + 1):
            part = path.with_name(f"{path.name}.{number:0{digits}}")
            digest = hashlib.sha256()
            left = part_bytes
            with synced_file(part) as file:
                while chunk := source.read(min(left, CHUNK_BYTES)):
                    whole.update(chunk)
                    digest.update(chunk)
                    file.write(chunk)
                    advance(len(chunk))
                    left -= len(chunk)
            parts.append(Part(part.name, digest.hexdigest()))
    path.unlink()
    return SplitFile(path.name, size, whole.hexdigest(), parts)
