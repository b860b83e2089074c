"""The launcher of aarch64, cross-compiled and started under qemu.

The stand-in for the runtime is a shell script, so whatever processor the tests run on executes it.
"""

import os
import shutil
from pathlib import Path

import pytest

from builder.kit.stub import compile_stub
from builder.targets import TARGETS
from tests.runtime.stub.solofiles import (
    RUNTIME,
    Run,
    folder_name,
    folders,
    make_package,
    make_solofile,
)

MACHINE_AT, AARCH64 = 18, 183  # e_machine of an ELF header


@pytest.fixture(scope="module")
def launcher() -> Path:
    return compile_stub(TARGETS["linux-aarch64"])


@pytest.fixture(scope="module")
def qemu() -> str:
    found = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
    if not found:
        assert not os.environ.get("CI"), "qemu-user-static is not installed"
        pytest.skip("qemu-aarch64-static (qemu-user-static) is not on PATH")
    return found


def test_is_a_small_aarch64_program(launcher: Path) -> None:
    """It is what it is called; that it is static shows where it starts without any library."""
    data = launcher.read_bytes()
    assert int.from_bytes(data[MACHINE_AT : MACHINE_AT + 2], "little") == AARCH64
    assert len(data) < 300_000


def test_unpacks_once_and_passes_everything_on(
    run: Run, qemu: str, solofile: Path, package: Path, cache: Path
) -> None:
    """Arguments, path and exit code, on the first start and on the second."""
    for _ in range(2):
        completed = run(qemu, solofile, "exit", "7", "two words")

        assert completed.stdout.splitlines() == [
            f"path={solofile}",
            "argument=exit",
            "argument=7",
            "argument=two words",
        ]
        assert (completed.returncode, completed.stderr) == (7, "")
    assert folders(cache) == [folder_name(package)]


def test_damage_is_found(run: Run, qemu: str, solofile: Path, package: Path) -> None:
    """Hashing and unpacking are right there, too: one flipped bit is refused."""
    data = bytearray(solofile.read_bytes())
    data[data.index(package.read_bytes()) + package.stat().st_size - 50] ^= 1
    solofile.write_bytes(data)

    completed = run(qemu, solofile)

    assert completed.returncode != 0
    assert "damaged" in completed.stderr


def test_a_system_without_the_runtimes_glibc(
    run: Run, qemu: str, launcher: Path, tmp_path: Path
) -> None:
    """The launcher alone starts on any system, and says what the runtime lacks there."""
    if Path("/lib/ld-linux-aarch64.so.1").exists():
        pytest.skip("this system has that glibc")
    package = make_package(tmp_path / "package", RUNTIME, lowest_system=(2, 36))

    completed = run(qemu, make_solofile(tmp_path / "model", launcher, package))

    assert (
        "model: This system has no glibc for aarch64, which the runtime needs" in completed.stderr
    )
