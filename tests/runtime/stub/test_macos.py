"""The launcher's part for macOS, compiled for Linux with what it asks of macOS put in its place.

The program that macOS gets is compiled from the same files; it cannot be started here.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.kit import stub
from builder.targets import TARGETS, host_target
from tests.runtime.stub.solofiles import RUNTIME, Run, make_package, make_solofile

SHIM = Path(__file__).with_name("macos_shim")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="its stand-ins are Linux's")


@pytest.fixture(scope="module")
def launcher() -> Iterator[Path]:
    own = stub._BUILDS[host_target().name]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(SHIM.rglob("*.h"))))
    flags = (*own.flags, "-I", str(SHIM), f"-DSHIM_{digest.hexdigest()[:8]}")
    with pytest.MonkeyPatch.context() as patch:
        build = stub._Build(own.triple, ("posix", "macos"), flags)
        patch.setitem(stub._BUILDS, "macos-arm64", build)
        yield stub.compile_stub(TARGETS["macos-arm64"])


@pytest.fixture
def app(tmp_path: Path, solofile: Path, launcher: Path) -> Path:
    """An app; returns its program."""
    contents = tmp_path / "My Model.app" / "Contents"
    (contents / "Resources").mkdir(parents=True)
    (contents / "MacOS").mkdir()
    shutil.copy(solofile, contents / "Resources" / "model.solofile")
    return Path(shutil.copy(launcher, contents / "MacOS" / "model"))


def test_it_unpacks_where_macos_keeps_caches(tmp_path: Path, solofile: Path, run: Run) -> None:
    """The folder is made, and the runtime knows its file."""
    (tmp_path / "home" / "Library").mkdir(parents=True)
    done = run(solofile, "a b", environment={"HOME": str(tmp_path / "home")})
    assert done.stdout.splitlines() == [f"path={solofile}", "argument=a b"]
    runtimes = tmp_path / "home" / "Library" / "Caches" / "solofile" / "runtime"
    assert len(list(runtimes.iterdir())) == 1


def test_an_app_starts_the_solofile_in_it(app: Path, run: Run) -> None:
    """Its program is the launcher alone; the runtime is told of the solofile inside."""
    done = run(app, "exit", "7")
    assert done.returncode == 7
    solofile = app.parent.parent / "Resources" / "model.solofile"
    assert done.stdout.splitlines()[0] == f"path={solofile}"


def test_an_app_without_its_solofile(app: Path, run: Run) -> None:
    """What is left of it is a file without an archive."""
    (app.parent.parent / "Resources" / "model.solofile").unlink()
    done = run(app)
    assert done.returncode == 3
    assert "cut short or damaged" in done.stderr


def test_a_solofile_elsewhere_is_its_own(app: Path, solofile: Path, run: Run) -> None:
    """A folder that happens to be called MacOS is no app."""
    folder = app.parent.parent / "MacOS" / "MacOS"
    folder.mkdir()
    copy = Path(shutil.copy(solofile, folder / "model"))
    assert f"path={copy}" in run(copy).stdout


@pytest.mark.parametrize(
    ("version", "is_refused"),
    [("13.2.1", True), ("12", True), ("13.3", False), ("14", False), ("26.1", False)],
)
def test_a_macos_too_old(
    tmp_path: Path, launcher: Path, run: Run, cache: Path, version: str, is_refused: bool
) -> None:
    """Both versions are told, and nothing is unpacked."""
    package = make_package(tmp_path / "package", RUNTIME, lowest_system=(13, 3))
    solofile = make_solofile(tmp_path / "model", launcher, package)
    environment = {"SOLOFILE_CACHE": str(cache), "SHIM_MACOS": version}
    done = run(solofile, environment=environment)
    assert done.returncode == (4 if is_refused else 0)
    sentence = (
        f"model: This Mac has macOS {version}, and the runtime in the file needs 13.3 or newer"
    )
    assert (sentence in done.stderr) == is_refused
    assert cache.exists() != is_refused
