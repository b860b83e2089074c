"""What files for macOS ask for, read from some that zig makes."""

import subprocess
from pathlib import Path

import pytest

from builder.kit.macho import lowest_macos
from builder.native.toolchain import zig, zig_environment
from runtime.errors import DamagedFileError


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library for an older macOS and one for a newer."""
    folder = tmp_path_factory.mktemp("libraries")
    (folder / "a.c").write_text("int a(void) { return 1; }\n", encoding="utf-8")
    for triple in ("x86_64-macos.11.0", "aarch64-macos.13.3"):
        command = [str(zig()), "cc", "-target", triple, "-shared", "a.c", "-o", f"{triple}.dylib"]
        subprocess.run(command, cwd=folder, env=zig_environment(), check=True)
    return folder


def test_the_newest_of_what_files_ask_for(libraries: Path, tmp_path: Path) -> None:
    """Other files count for nothing."""
    assert lowest_macos(libraries) == (13, 3)
    (tmp_path / "notes").write_text("no library", encoding="utf-8")
    assert lowest_macos(tmp_path) is None


def test_a_file_cut_short(libraries: Path, tmp_path: Path) -> None:
    """It is named."""
    data = (libraries / "x86_64-macos.11.0.dylib").read_bytes()
    (tmp_path / "cut.dylib").write_bytes(data[:100])
    with pytest.raises(DamagedFileError, match=r"cut\.dylib is not a sound Mach-O file"):
        lowest_macos(tmp_path)
