"""Tests of the file that holds a computed prompt."""

import stat
from pathlib import Path

import pytest

from runtime.engine.prompt_file import PromptFile
from runtime.errors import DamagedFileError

KEY = bytes(range(32))
TOKENS = [1, 70_000, 3]
STATE = b"state"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "one.prompt"
    PromptFile.write(path, KEY, TOKENS, memoryview(STATE))
    return path


def test_what_is_written_is_read(path: Path) -> None:
    """Key, tokens and state come back, for their owner alone, and no scrap is left beside them."""
    file = PromptFile.open(path)
    assert (file.key, file.tokens, bytes(file.state())) == (KEY, TOKENS, STATE)
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_missing_end_is_noticed(path: Path) -> None:
    """A file cut short anywhere is refused by its header alone."""
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(DamagedFileError, match=r"cut short|no prompt"):
            PromptFile.open(path)


def test_every_changed_byte_is_noticed(path: Path) -> None:
    """A wrong byte anywhere is found before the state is used."""
    data = path.read_bytes()
    for index in range(len(data)):
        path.write_bytes(data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :])
        with pytest.raises(DamagedFileError, match=r"damaged|cut short|no prompt"):
            PromptFile.open(path).state()
