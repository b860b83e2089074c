"""What lies in the cache: each item with what it is, its size and its last use."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from builder.cache.items import is_held
from builder.cache.layout import KINDS, Kind, paths_of
from builder.gguf.header import read_header
from builder.gguf.tables import FILE_TYPES
from builder.kit.kit import INFO_NAME, load_kit
from runtime.errors import AppError


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item.

    Args:
        kind: The name of its kind.
        what: What it is, for people.
        path: Where it lies.
        size: Of all its files, in bytes.
        last_used: When, in seconds since 1970.
        is_in_use: Whether a process holds it now.
    """

    kind: str
    what: str
    path: str
    size: int
    last_used: float
    is_in_use: bool

    @property
    def age_s(self) -> float:
        """How long ago it was used, in seconds."""
        return max(0.0, time.time() - self.last_used)


def items(kinds: Iterable[Kind] = KINDS.values()) -> list[Item]:
    """Return the items of some kinds, the largest of each first."""
    found = []
    for kind in kinds:
        some = [_item(kind, path) for path in paths_of(kind)]
        found += sorted(some, key=lambda item: -item.size)
    return found


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; links count as nothing."""
    if not path.is_dir():
        return path.lstat().st_size
    size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                size += Path(folder, name).lstat().st_size
            except OSError:  # It was just removed.
                continue
    return size


def _item(kind: Kind, path: Path) -> Item:
    return Item(
        kind=kind.name,
        what=_what(path),
        path=str(path),
        size=size_of(path),
        last_used=path.stat().st_mtime,
        is_in_use=is_held(path),
    )


def _what(path: Path) -> str:
    try:
        if path.suffix == ".gguf":
            header = read_header(path)
            name = header.text("general.name") or header.text("general.type") or path.name
            kind = FILE_TYPES.get(header.integer("general.file_type"))
            return f"{name}, {kind}" if kind and "general.file_type" in header.pairs else name
        if (path / INFO_NAME).is_file():
            info = load_kit(path).info
            return f"{info.target}, solofile {info.solofile}"
    except (AppError, OSError):
        return f"{path.name} (damaged)"
    return path.name
