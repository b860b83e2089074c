"""What a start passes on, and what it leaves unpacked."""

import os
import shutil
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.package import ENTRY_NAME
from tests.runtime.stub.solofiles import (
    DAY_S,
    Run,
    age,
    folder_name,
    folders,
    make_package,
    make_solofile,
)


def test_passes_arguments_exit_code_and_path(run: Run, solofile: Path) -> None:
    """The runtime gets every argument and the file's path; its exit code is the file's."""
    completed = run(solofile, "exit", "7", "", "two words")

    assert completed.stdout.splitlines() == [
        f"path={solofile}",
        "argument=exit",
        "argument=7",
        "argument=",
        "argument=two words",
    ]
    assert completed.returncode == 7
    assert completed.stderr == ""


@pytest.mark.parametrize("invoked_as", ["./model", "../here/model", "link"])
def test_path_is_absolute(run: Run, solofile: Path, invoked_as: str) -> None:
    """However it is invoked, the runtime learns the file's real, absolute path."""
    here = solofile.parent / "here"
    here.mkdir()
    solofile.rename(here / "model")
    (here / "link").symlink_to("model")

    completed = run(invoked_as, cwd=here, executable=str(here / invoked_as))

    assert completed.stdout == f"path={here / 'model'}\n"


def test_unpacks_files_modes_and_links(
    run: Run, solofile: Path, package: Path, cache: Path
) -> None:
    """The first start unpacks every member with its mode, whatever the umask."""
    run(solofile, umask=0o077)
    folder = cache / "runtime" / folder_name(package)

    assert folders(cache) == [folder.name]
    assert (folder / "solofile-runtime").stat().st_mode & 0o777 == 0o755
    assert (folder / "lib" / "data.so.1").stat().st_mode & 0o777 == 0o644
    assert (folder / "lib" / "data.so").readlink() == Path("data.so.1")
    assert (folder / "lib" / "data.so").read_bytes() == bytes(range(256)) * 40
    assert (folder / "lib" / "empty").read_bytes() == b""


def test_second_start_unpacks_nothing(run: Run, solofile: Path, package: Path, cache: Path) -> None:
    """The second start uses the first one's folder and marks it as used."""
    run(solofile)
    folder = cache / "runtime" / folder_name(package)
    before = (folder / "solofile-runtime").stat()
    age(folder, 10 * DAY_S)

    assert run(solofile).returncode == 0

    after = (folder / "solofile-runtime").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert time.time() - folder.stat().st_mtime < DAY_S


def test_umask_is_the_users(tmp_path: Path, launcher: Path, run: Run) -> None:
    """The runtime runs with the mask the launcher was started with."""
    package = make_package(tmp_path / "package", "#!/bin/sh\numask\n")
    solofile = make_solofile(tmp_path / "model", launcher, package)

    assert run(solofile, umask=0o027).stdout.strip() == "0027"


def test_concurrent_first_starts(run: Run, solofile: Path, cache: Path) -> None:
    """Ten first starts at once all run, and leave one folder."""
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda n: run(solofile, "exit", str(n)), range(10)))

    assert [result.returncode for result in results] == list(range(10))
    assert len(folders(cache)) == 1


def test_members_beyond_4_gib(tmp_path: Path, launcher: Path, package: Path, run: Run) -> None:
    """The runtime is found where only ZIP64 records can say it is."""
    solofile = tmp_path / "model"
    shutil.copy(launcher, solofile)
    os.truncate(solofile, (5 << 30) + 12345)
    with zipfile.ZipFile(solofile, "a") as archive:
        archive.write(package, ENTRY_NAME)

    assert run(solofile, "exit", "9").returncode == 9


@pytest.mark.parametrize(
    ("before", "expected"),
    [(None, "{folder} unset"), ("/opt/lib", "{folder}:/opt/lib /opt/lib")],
)
def test_library_path(
    tmp_path: Path, launcher: Path, run: Run, before: str | None, expected: str
) -> None:
    """The runtime's folder comes first on the library path; the path before is told too."""
    cache = tmp_path / "cache"
    script = '#!/bin/sh\necho "$LD_LIBRARY_PATH ${LD_LIBRARY_PATH_ORIG-unset}"\n'
    package = make_package(tmp_path / "package", script)
    solofile = make_solofile(tmp_path / "model", launcher, package)
    environment = {"SOLOFILE_CACHE": str(cache), "LD_LIBRARY_PATH_ORIG": "stale"}
    if before:
        environment["LD_LIBRARY_PATH"] = before

    completed = run(solofile, environment=environment)

    folder = cache / "runtime" / folder_name(package)
    assert completed.stdout.strip() == expected.format(folder=folder)
