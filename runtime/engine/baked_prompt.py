"""Where a prompt that the builder computed lies."""

from pathlib import Path

import msgspec


class BakedPrompt(msgspec.Struct, frozen=True):
    """Where a prompt lies inside a solofile.

    Args:
        path: The solofile.
        offset: The prompt's first byte, in bytes from the file's start.
        size: Its length in bytes.
    """

    path: Path
    offset: int
    size: int
