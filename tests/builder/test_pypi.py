"""Fetching packages with the real pip, from a folder of the test's own."""

from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.pypi import download, install_tools, read_member
from tests.builder.tiny_wheel import use_only, write_wheel


@pytest.fixture
def index(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder pip takes wheels from, and nothing else."""
    folder = tmp_path / "index"
    folder.mkdir()
    use_only(folder, monkeypatch)
    return folder


def test_download_once(index: Path, tmp_path: Path) -> None:
    """A distribution lies in its folder, and pip is not asked for it again."""
    wheel = write_wheel(index, {"tiny_model/__init__.py": b""})
    path = download("tiny-model==1.0", tmp_path / "here")
    assert path == tmp_path / "here" / wheel.name
    wheel.unlink()
    assert download("tiny-model==1.0", tmp_path / "here") == path


def test_a_failed_download_leaves_nothing(index: Path, tmp_path: Path) -> None:
    """What is not there is told with pip's reason, and can be tried again."""
    with pytest.raises(SourceError, match=r"Could not download tiny-model==1\.0: No matching"):
        download("tiny-model==1.0", tmp_path / "here")
    assert not (tmp_path / "here").exists()
    write_wheel(index, {"tiny_model/__init__.py": b""})
    assert download("tiny-model==1.0", tmp_path / "here").is_file()


def test_install_tools(index: Path, own_cache: Path) -> None:
    """A tool is installed into a folder of its own, once."""
    wheel = write_wheel(index, {"tiny_model/__init__.py": b"x = 1\n"})
    folder = install_tools("tiny", ["tiny-model==1.0"])
    assert folder == own_cache / "tools" / "tiny"
    assert (folder / "tiny_model" / "__init__.py").read_bytes() == b"x = 1\n"
    wheel.unlink()
    assert install_tools("tiny", ["tiny-model==1.0"]) == folder


def test_read_member(tmp_path: Path) -> None:
    """The one member of a kind is found by its suffix."""
    wheel = write_wheel(tmp_path, {"tiny_model/a.gguf": b"", "tiny_model/b.txt": b""})
    assert read_member(wheel, ".gguf") == "tiny_model/a.gguf"
    with pytest.raises(SourceError, match=r"holds no \.onnx file"):
        read_member(wheel, ".onnx")
