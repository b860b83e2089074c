"""What reports tell of a baked prompt."""

from pathlib import Path

import pytest

from builder.bake.baked import BakedPrompt
from builder.file_range import FileRange
from runtime.engine.prompt_file import PromptFile
from runtime.errors import DamagedFileError


def test_a_file_and_a_part_of_one(tmp_path: Path) -> None:
    """Its header tells how long it is, wherever it lies."""
    path, inside = tmp_path / "1.prompt", tmp_path / "solofile"
    PromptFile.write(path, bytes(32), list(range(1234)), memoryview(bytes(5000)))
    size = path.stat().st_size
    inside.write_bytes(b"before" + path.read_bytes() + b"behind")
    told = BakedPrompt.read(path)
    assert told == BakedPrompt.read(FileRange(inside, 6, size)) == BakedPrompt(1234, size)
    assert str(told) == "1,234 tokens, 10.0 kB"
    with pytest.raises(DamagedFileError, match="is no prompt"):
        BakedPrompt.read(inside)
