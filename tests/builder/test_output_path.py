"""Where solofiles are written."""

from pathlib import Path

import pytest

from builder.errors import DiskError
from builder.output_path import output_path, require_folder, require_free
from builder.targets import TARGETS
from runtime.errors import UsageError

LINUX, WINDOWS = TARGETS["linux-x86_64"], TARGETS["windows-x86_64"]


def test_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder takes the model's name, a target among several and Windows their endings."""
    monkeypatch.chdir(tmp_path)
    Path("dist").mkdir()
    cases = {
        (None, LINUX, False): "dist/A-B",
        (None, WINDOWS, True): "dist/A-B-windows-x86_64.exe",
        (Path("chat"), LINUX, False): "chat",
        (Path("chat"), LINUX, True): "chat-linux-x86_64",
        (Path("chat.exe"), WINDOWS, False): "chat.exe",
        (Path("chat.exe"), WINDOWS, True): "chat-windows-x86_64.exe",
    }
    for (output, target, tells_target), path in cases.items():
        assert output_path(output, "A/B", target, tells_target=tells_target) == Path(path)


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default one, and what is said to be one, are made; that of a file is not."""
    monkeypatch.chdir(tmp_path)
    require_folder(None, is_folder=False)
    require_folder(Path("a/b"), is_folder=True)
    assert Path("dist").is_dir()
    assert Path("a/b").is_dir()
    with pytest.raises(DiskError, match="c is not a folder"):
        require_folder(Path("c/d"), is_folder=False)
    Path("dist").rmdir()
    Path("dist").write_bytes(b"")
    for output in (None, Path("dist")):
        with pytest.raises(DiskError, match="dist is a file, and not a folder"):
            require_folder(output, is_folder=True)


def test_a_file_that_must_stay() -> None:
    """It is told by name."""
    require_free(Path("a"), {Path("b")})
    with pytest.raises(UsageError, match="Two models would both be written to b"):
        require_free(Path("b"), {Path("b")})
