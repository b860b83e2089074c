"""Bytes that lie together in a file: all of it, or a member stored inside an archive."""

from dataclasses import dataclass
from pathlib import Path

from runtime.engine.weights import Weights


@dataclass(frozen=True, slots=True)
class FileRange:
    """A run of bytes.

    Args:
        path: The file.
        offset: Where they begin, in bytes from its start.
        size: How many there are.
        name: What they are called inside it; empty where they are the whole file.
    """

    path: Path
    offset: int
    size: int
    name: str = ""

    @classmethod
    def of(cls, source: "Path | FileRange") -> "FileRange":
        """Return `source` as a range; a path means the whole file.

        Raises:
            OSError: It cannot be read.
        """
        return source if isinstance(source, FileRange) else cls(source, 0, source.stat().st_size)

    def weights(self) -> Weights:
        """Return it as the engine takes a model."""
        return Weights(self.path.absolute(), self.offset, self.size)

    def __str__(self) -> str:
        """Return what error sentences call it."""
        return f"{self.name} inside {self.path}" if self.name else str(self.path)
