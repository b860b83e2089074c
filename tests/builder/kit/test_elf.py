"""ELF files compiled with zig, of which is known what they ask for."""

import contextlib
import ctypes
import subprocess
from pathlib import Path

import pytest

from builder.kit.elf import cut_unloaded, glibc_needed, is_elf, lowest_glibc
from builder.native.toolchain import zig, zig_environment
from builder.targets import host_target
from runtime.errors import DamagedFileError
from runtime.glibc import GlibcVersion

# glibc has getrandom since 2.25, and memfd_create since 2.27.
NEEDS_2_25 = "int getrandom(void *, long, int); int f(void) { return getrandom(0, 0, 0); }"
NEEDS_2_27 = "int memfd_create(void *, int); int f(void) { return memfd_create(0, 0); }"
NEEDS_NONE = "int f(void) { return 42; }"


def compiled(path: Path, source: str, *options: str) -> Path:
    code = path.with_suffix(".c")
    code.write_text(source, encoding="utf-8")
    command = [str(zig()), "cc", "-target", host_target().zig_triple, "-shared", *options]
    subprocess.run([*command, str(code), "-o", str(path)], env=zig_environment(), check=True)
    return path


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three libraries and a text."""
    folder = tmp_path_factory.mktemp("libraries")
    compiled(folder / "needs_2_25.so", NEEDS_2_25)
    compiled(folder / "needs_2_27.so", NEEDS_2_27)
    compiled(folder / "needs_none.so", NEEDS_NONE, "-nostdlib")
    return folder


def test_glibc_needed(libraries: Path) -> None:
    """The newest symbol version a file asks for is found."""
    assert glibc_needed(libraries / "needs_2_25.so") == GlibcVersion(2, 25)
    assert glibc_needed(libraries / "needs_2_27.so") == GlibcVersion(2, 27)
    assert glibc_needed(libraries / "needs_none.so") is None


def test_lowest_glibc(libraries: Path, tmp_path: Path) -> None:
    """Of a folder the file that asks for the newest decides; other files do not matter."""
    assert lowest_glibc(libraries) == GlibcVersion(2, 27)
    (tmp_path / "text").write_text("no program", encoding="utf-8")
    assert lowest_glibc(tmp_path) is None


def test_is_elf(libraries: Path) -> None:
    """Only ELF files are taken for such."""
    assert is_elf(libraries / "needs_2_25.so")
    assert not is_elf(libraries / "needs_2_25.c")


def test_cut_short_anywhere(libraries: Path, tmp_path: Path) -> None:
    """A file cut at any point gives an answer or the named error."""
    whole = (libraries / "needs_2_27.so").read_bytes()
    cut = tmp_path / "cut.so"
    answers = set()
    for size in range(0, len(whole), 37):
        cut.write_bytes(whole[:size])
        with contextlib.suppress(DamagedFileError):
            answers.add(glibc_needed(cut))

    assert answers == {GlibcVersion(2, 27)}


def test_cut_unloaded(tmp_path: Path) -> None:
    """A library without its debug information is smaller and still loads."""
    library = compiled(tmp_path / "debug.so", NEEDS_NONE, "-g", "-nostdlib")
    size_bytes = library.stat().st_size

    cut_unloaded(library)

    assert library.stat().st_size < size_bytes
    assert ctypes.CDLL(str(library)).f() == 42
