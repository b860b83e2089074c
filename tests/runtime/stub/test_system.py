"""Systems that cannot run the runtime: told before anything is unpacked."""

import os
import platform
import shutil
from pathlib import Path

import pytest

from runtime.glibc import GlibcVersion
from tests.runtime.stub.solofiles import RUNTIME, Run, folders, make_package, make_solofile

LIBRARIES = {"x86_64": "lib64/ld-linux-x86-64.so.2", "aarch64": "lib/ld-linux-aarch64.so.1"}
LOADER = LIBRARIES[platform.machine()]
SYSTEMS = GlibcVersion.parse(platform.libc_ver()[1])


def needing(folder: Path, launcher: Path, glibc: GlibcVersion) -> Path:
    """Make a solofile whose runtime, a shell script, says that it needs a glibc."""
    package = make_package(folder / "package", RUNTIME, lowest_system=(glibc.major, glibc.minor))
    return make_solofile(folder / "model", launcher, package)


def test_glibc_too_old(tmp_path: Path, launcher: Path, run: Run, cache: Path) -> None:
    """An older glibc than the runtime's is refused, with both versions, and nothing unpacked."""
    solofile = needing(tmp_path, launcher, GlibcVersion(SYSTEMS.major, SYSTEMS.minor + 1))

    completed = run(solofile)

    assert completed.returncode == 4
    assert completed.stderr == (
        f"model: This system has glibc {SYSTEMS}, and the runtime in the file needs "
        f"{SYSTEMS.major}.{SYSTEMS.minor + 1} or newer; start it on a newer system or in a "
        "container of one, or build it again with a kit made on an older system.\n"
    )
    assert not cache.exists()


def test_glibc_just_new_enough(tmp_path: Path, launcher: Path, run: Run, cache: Path) -> None:
    """The very version that the runtime needs will do."""
    completed = run(needing(tmp_path, launcher, SYSTEMS), "exit", "7")

    assert (completed.returncode, completed.stderr) == (7, "")
    assert len(folders(cache)) == 1


@pytest.mark.parametrize(
    ("library", "said"),
    [
        (b"GNU C Library (GNU libc) stable release version 2.17, by Roland", "has glibc 2.17, and"),
        (b"GNU C Library (Ubuntu) stable release version 2.9.\n", "has glibc 2.9, and"),
        (b"stable release version 2.10", "has glibc 2.10, and"),
        # Nothing is known then, and the script has no shell to run it.
        (b"stable release version two", "Could not start"),
        (b"", "Could not start"),
        (None, f"has no glibc for {platform.machine()}, which the runtime needs"),
    ],
)
def test_glibc_of_other_systems(
    tmp_path: Path, launcher: Path, mounting: Run, library: bytes | None, said: str
) -> None:
    """What glibc says of itself decides, in whatever form; where it says nothing, the loader."""
    root = tmp_path / "root"
    root.mkdir()
    needing(tmp_path, launcher, GlibcVersion(2, 28)).rename(root / "model")
    if library is not None:
        (root / LOADER).parent.mkdir()
        # The loader is often a link into the folder where glibc lies.
        (root / "usr").mkdir()
        (root / "usr" / "ld.so").touch()
        (root / LOADER).symlink_to("../usr/ld.so")
        (root / "usr" / "libc.so.6").write_bytes(library)

    completed = mounting(
        f"exec chroot {root} /model",
        environment={"SOLOFILE_CACHE": "/cache", "PATH": os.environ["PATH"]},
    )

    assert completed.returncode == 4
    assert f"model: This system {said}" in completed.stderr or said in completed.stderr
    assert (root / "cache").exists() == (said == "Could not start")


def test_kernel_too_old(tmp_path: Path, launcher: Path, run: Run) -> None:
    """A kernel on which glibc does not run is named."""
    emulator = shutil.which(f"qemu-{platform.machine()}-static")
    if emulator is None:
        if os.environ.get("CI") == "true":
            pytest.fail("qemu-user-static is not installed")
        pytest.skip("it needs qemu-user-static")
    solofile = needing(tmp_path, launcher, GlibcVersion(2, 28))

    completed = run(emulator, "-r", "2.6.32", solofile)

    assert completed.returncode == 4
    assert completed.stderr == (
        "model: The kernel of this system is Linux 2.6.32, and the runtime needs 3.2 or newer; "
        "start it on a newer system.\n"
    )
