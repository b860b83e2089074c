"""What reports tell of a baked prompt."""

from pathlib import Path

import msgspec

from builder.console import human_bytes
from builder.file_range import FileRange
from runtime.engine.prompt_file import PromptFile


class BakedPrompt(msgspec.Struct, frozen=True):
    """A computed prompt: how many tokens it has, and its size in bytes."""

    tokens: int
    size: int

    @classmethod
    def read(cls, source: Path | FileRange) -> "BakedPrompt":
        """Return what its file's header tells, which may lie inside a solofile.

        Raises:
            OSError: It cannot be read.
            DamagedFileError: It is not such a file, or cut short.
        """
        data = FileRange.of(source)
        file = PromptFile.open(data.path, data.offset, data.size)
        return cls(len(file.tokens), data.size)

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.tokens:,} tokens, {human_bytes(self.size)}"
