"""Which CUDA compiler is taken, and what is said where none can be had."""

from pathlib import Path

import pytest

from builder.errors import DiskError, SourceError, ToolError
from builder.native.cuda import toolkit
from builder.native.cuda.toolkit import VERSION, WHEELS, find_toolkit, licence_texts
from builder.vendor.folder import VARIABLE
from tests.builder.native.cuda.toolkit import install_toolkit
from tests.builder.tiny_wheel import use_only


@pytest.fixture(autouse=True)
def nothing_installed(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No toolkit, on Linux, and nothing in the package index."""
    monkeypatch.delenv("CUDA_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    (tmp_path / "index").mkdir()
    use_only(tmp_path / "index", monkeypatch)


@pytest.mark.parametrize("variable", ["PATH", "CUDA_PATH"])
def test_an_installed_one_is_used(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the system's compiler, and from where it really lies."""
    home = install_toolkit(tmp_path / "toolkit")
    monkeypatch.setenv(variable, str(home / "bin" if variable == "PATH" else home))
    found = find_toolkit()
    assert found.toolchain == "system"
    assert found.release == "13.0.88"
    assert found.root() == home
    assert licence_texts(found) == [home / "EULA.txt"]


def test_else_the_pinned_one(own_cache: Path) -> None:
    """What it is is known without fetching it."""
    found = find_toolkit()
    assert found.toolchain == "zig"
    assert found.release == VERSION
    assert found.version.split() == WHEELS
    assert not (own_cache / "tools").exists()


def test_it_is_not_in_the_index(own_cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As without a network; how much there is to fetch is said before."""
    with pytest.raises(SourceError, match=r"Could not install nvidia-cuda-nvcc==.*No matching"):
        find_toolkit().root()
    told = capsys.readouterr().err
    assert told.index("129 MB, 347 MB unpacked") < told.index("Installing")
    assert not list((own_cache / "tools").glob("cuda*"))


def test_offline(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendored folder holds no compiler of NVIDIA's."""
    manifest = '{"format_version": 1, "solofile": "1", "python": "", "system": "", "parts": {}}'
    (tmp_path / "vendor.json").write_text(manifest)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(SourceError, match="install NVIDIA's CUDA compiler: the builder is offline"):
        find_toolkit().root()


def test_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said before anything is fetched."""
    monkeypatch.setattr(toolkit, "_NEEDED_BYTES", 1 << 62)
    with pytest.raises(DiskError, match="free, and NVIDIA's CUDA compiler while it is installed"):
        find_toolkit().root()


def test_a_variable_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not passed over in silence."""
    monkeypatch.setenv("CUDA_PATH", "/nowhere")
    with pytest.raises(ToolError, match="CUDA_PATH is /nowhere, and there is no bin/nvcc"):
        find_toolkit()


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "riscv64")])
def test_other_systems(system: str, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are wheels for Linux on two processors."""
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    with pytest.raises(ToolError, match=f"cannot be built on {system} {machine}"):
        find_toolkit()


def test_a_compiler_that_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is none, say."""
    nvcc = install_toolkit(tmp_path) / "bin" / "nvcc"
    nvcc.write_text("#!/bin/sh\n")
    with pytest.raises(ToolError, match="does not say where its toolkit lies"):
        find_toolkit().root()
