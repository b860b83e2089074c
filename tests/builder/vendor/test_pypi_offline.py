"""Packages out of a vendored folder, by the real pip: nothing else is asked."""

import subprocess
from pathlib import Path

import pytest

from builder.convert.environment import environment_python
from builder.errors import SourceError
from builder.pypi import download, install_tools, require_network
from builder.vendor.folder import COMPILERS, CONVERTER, MODELS, SOURCES, VARIABLE
from runtime.errors import DamagedFileError
from tests.builder.tiny_wheel import write_wheel
from tests.builder.vendored import go_offline, write_vendored

SDIST = "tiny_source-1.0.tar.gz"


@pytest.fixture
def folder(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vendored folder that is worked from; the index beside it has a package more."""
    (tmp_path / "index").mkdir()
    write_wheel(tmp_path / "index", {"tiny_model/__init__.py": b"x = 2\n"}, version="2.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    wheel = write_wheel(tmp_path, {"tiny_model/__init__.py": b"x = 1\n"})
    files = {wheel.name: wheel.read_bytes()}
    parts = {CONVERTER: files, COMPILERS: files, MODELS: files, SOURCES: {SDIST: b"source"}}
    # A path with a blank, as sticks have.
    path = write_vendored(tmp_path / "a stick", parts)
    go_offline(path, monkeypatch)
    return path


def test_an_environment(folder: Path) -> None:
    """The converter's environment is made of the vendored wheels."""
    python = environment_python("tiny-model==1.0\n")
    told = subprocess.run(
        [python, "-c", "import tiny_model; print(tiny_model.x)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "1\n"


def test_tools(folder: Path) -> None:
    """Build tools are installed from there."""
    made = install_tools("tiny", ["tiny-model==1.0"])
    assert (made / "tiny_model" / "__init__.py").read_bytes() == b"x = 1\n"


def test_what_was_not_vendored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is elsewhere alone is not taken, and a part that is missing is told."""
    with pytest.raises(SourceError, match=r"install tiny-model==2\.0: No matching") as caught:
        install_tools("tiny", ["tiny-model==2.0"])
    assert f"Make {folder} anew" in caught.value.hint
    monkeypatch.delenv(VARIABLE)
    go_offline(write_vendored(folder.parent / "empty", {}), monkeypatch)
    sentence = "converter's environment: the builder is offline, and .*empty does not hold"
    with pytest.raises(SourceError, match=sentence):
        environment_python("tiny-model==1.0\n")
    with pytest.raises(SourceError, match="Could not unpack Debian: the builder is offline"):
        require_network("unpack Debian")


def test_files(folder: Path, tmp_path: Path) -> None:
    """Wheels with models and source distributions are taken as they are."""
    assert download("tiny-source==1.0", tmp_path / "s", sdist=True).read_bytes() == b"source"
    found = download("tiny-model==1.0", tmp_path / "m")
    assert found.read_bytes() == (folder / MODELS / found.name).read_bytes()
    with pytest.raises(SourceError, match="does not hold it") as caught:
        download("tiny-model==2.0", tmp_path / "n")
    assert "vendor DIR --source pypi:tiny-model==2.0" in caught.value.hint
    with pytest.raises(SourceError, match="does not hold it"):
        download("tiny-source==1.0", tmp_path / "o", sha256="0" * 64, sdist=True)


@pytest.mark.parametrize("part", [CONVERTER, COMPILERS, MODELS])
def test_a_damaged_file(folder: Path, part: str, tmp_path: Path) -> None:
    """Nothing is installed of a part with a damaged file, which is named."""
    (path,) = (folder / part).iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match=f"{path} is damaged"):
        use(part, tmp_path)


def use(part: str, tmp_path: Path) -> object:
    """Use what a part holds."""
    if part == CONVERTER:
        return environment_python("tiny-model==1.0\n")
    if part == COMPILERS:
        return install_tools("tiny", ["tiny-model==1.0"])
    return download("tiny-model==1.0", tmp_path / "m")
