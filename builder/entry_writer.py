"""What takes the parts of a container one after the other: a file's writer, or a plan."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from runtime.container import Checksums


class EntryWriter(Protocol):
    """Takes launcher, entries and end as `ContainerWriter` does, which says more of each."""

    def write_launcher(self, source: Path | bytes) -> str:
        """Take the executable that stands before the archive; returns its SHA-256 in hex."""

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
        """Take a file, or a part of one, as an entry."""

    def add_bytes(self, name: str, data: bytes) -> str:
        """Take `data` as an entry; returns its SHA-256 in hex."""

    def finish(self) -> None:
        """Take nothing more, and put the directory behind it all."""
