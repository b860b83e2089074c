"""Kits for macOS with real launchers; nothing in them can be started here."""

import subprocess
from pathlib import Path

import pytest

from builder.kit.kit import Kit
from builder.kit.package import write_package
from builder.kit.stub import compile_stub
from builder.native.toolchain import zig, zig_environment
from builder.pack import write_solofile
from builder.targets import TARGETS, Target
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_kit import make_kit


@pytest.fixture(scope="package")
def arm_kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """A kit for Apple's processors."""
    return _make_macos_kit(TARGETS["macos-arm64"], tmp_path_factory.mktemp("kit"))


@pytest.fixture(scope="package")
def intel_kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """A kit for Intel's."""
    return _make_macos_kit(TARGETS["macos-x86_64"], tmp_path_factory.mktemp("kit"))


@pytest.fixture(scope="package", params=["arm_kit", "intel_kit"])
def kit(request: pytest.FixtureRequest) -> Kit:
    """Each of the two."""
    kit: Kit = request.getfixturevalue(request.param)
    return kit


@pytest.fixture
def solofile(kit: Kit, tmp_path: Path) -> Path:
    """A small one."""
    path = tmp_path / "model"
    write_solofile(contents_of(kit, write_gguf(tmp_path / "weights.gguf")), path)
    path.chmod(0o755)
    return path


def _make_macos_kit(target: Target, folder: Path) -> Kit:
    """Make a kit whose runtime is a program of one line."""
    files = folder / "files"
    files.mkdir()
    source = folder / "runtime.c"
    source.write_text("int main(void) { return 7; }\n", encoding="utf-8")
    command = [zig(), "cc", "-target", target.zig_triple, source, "-o", files / "solofile-runtime"]
    subprocess.run([str(word) for word in command], env=zig_environment(), check=True)
    write_package(files, folder / "runtime.pkg")
    return make_kit(folder, compile_stub(target), target=target.name)
