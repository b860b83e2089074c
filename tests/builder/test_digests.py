"""Digests of files, read once."""

import hashlib
import os
from pathlib import Path

import pytest

from builder.digests import digests_of


def test_a_file_is_read_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As long as it stays as it is; with another content it is read again."""
    path, other = tmp_path / "a", tmp_path / "b"
    for number, content in enumerate((b"one", b"two"), 1):
        path.write_bytes(content)
        other.write_bytes(b"other")
        os.utime(path, ns=(number, number))
        expected = [hashlib.sha256(data).hexdigest() for data in (content, b"other")]
        assert digests_of([path, other]) == expected
        assert "Reading the model" in capsys.readouterr().err
        assert digests_of([path, other]) == expected
        assert not capsys.readouterr().err
