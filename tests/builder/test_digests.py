"""Digests of files, read once."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.digests import add_file, digests_of
from builder.file_range import FileRange
from runtime.container import ContainerWriter
from runtime.errors import DamagedFileError


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


def pack(path: Path, output: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """Pack one file alone and return its digest."""
    with output.open("w+b") as file:
        return add_file(ContainerWriter(file), "a", FileRange.of(path), advance=advance)


def test_what_was_packed_is_not_read_again(tmp_path: Path) -> None:
    """As long as it stays as it is; what it was is known to whoever asks for its digest, too."""
    path = tmp_path / "a"
    path.write_bytes(b"one")
    expected = hashlib.sha256(b"one").hexdigest()
    assert pack(path, tmp_path / "first") == expected
    facts = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    assert pack(path, tmp_path / "second") == expected, "nobody looked"
    assert digests_of([path]) == [expected]
    os.utime(path, ns=(1, 1))
    assert pack(path, tmp_path / "third") == hashlib.sha256(b"two").hexdigest()


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    """It is told, and its digest is not believed again."""
    path = tmp_path / "a"
    path.write_bytes(b"one")
    with pytest.raises(DamagedFileError, match="changed while it was being packed"):
        pack(path, tmp_path / "first", lambda _: os.utime(path, ns=(1, 1)))
    path.write_bytes(b"two")
    assert pack(path, tmp_path / "second") == hashlib.sha256(b"two").hexdigest()
