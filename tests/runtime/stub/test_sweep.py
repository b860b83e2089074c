"""What starts remove, and what they leave alone."""

import fcntl
import os
import random
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.runtime.stub.solofiles import (
    DAY_S,
    RUNTIME,
    Run,
    age,
    folder_name,
    folders,
    make_package,
    make_solofile,
)


def test_killed_while_unpacking(tmp_path: Path, launcher: Path, run: Run) -> None:
    """What a killed start leaves behind is removed by the next one."""
    cache = tmp_path / "cache"
    package = make_package(tmp_path / "package", RUNTIME, filler=bytes(3_000_000))
    solofile = make_solofile(tmp_path / "model", launcher, package)

    killed = run("sh", "-c", f"ulimit -f 1000; exec {shlex.quote(str(solofile))}")
    assert killed.returncode == -signal.SIGXFSZ
    assert [".part." in name for name in folders(cache)] == [True]

    assert run(solofile).returncode == 0
    assert folders(cache) == [folder_name(package)]


def test_killed_at_any_moment(tmp_path: Path, launcher: Path, run: Run) -> None:
    """A hundred starts killed at random times leave what one start leaves."""
    package = make_package(tmp_path / "package", RUNTIME, filler=bytes(30_000_000))
    solofile = make_solofile(tmp_path / "model", launcher, package)
    folders_written = [tmp_path / "home", tmp_path / "temporary"]
    for folder in folders_written:
        folder.mkdir()
    environment = {"HOME": str(folders_written[0]), "TMPDIR": str(folders_written[1])}
    began = time.monotonic()
    assert run(solofile, environment=environment).returncode == 0
    whole_s = time.monotonic() - began
    expected = _files(folders_written)
    runtime = folders_written[0] / ".cache" / "solofile" / "runtime" / folder_name(package)
    randomness = random.Random(7)

    num_cut_short = 0
    for _ in range(100):
        shutil.rmtree(runtime, ignore_errors=True)
        with subprocess.Popen([solofile, "wait"], env=environment, stdin=subprocess.PIPE) as start:
            time.sleep(randomness.uniform(0, 1.5 * whole_s))
            start.kill()
        num_cut_short += not runtime.exists()

    assert 10 < num_cut_short < 95, f"{num_cut_short} of 100 were killed while they unpacked"
    assert run(solofile, environment=environment).returncode == 0
    assert _files(folders_written) == expected


def _files(folders: list[Path]) -> dict[Path, int]:
    """Return the sizes of all files below some folders."""
    return {path: path.lstat().st_size for folder in folders for path in folder.rglob("*")}


def test_keeps_what_another_start_unpacks(
    run: Run, solofile: Path, package: Path, cache: Path
) -> None:
    """A part whose maker lives is left alone."""
    part = cache / "runtime" / f"{folder_name(package)}.part.1.1"
    part.mkdir(parents=True)
    descriptor = os.open(part, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    run(solofile)
    assert part.name in folders(cache)

    os.close(descriptor)
    run(solofile)
    assert folders(cache) == [folder_name(package)]


def test_removes_old_runtimes(run: Run, solofile: Path, package: Path, cache: Path) -> None:
    """Runtimes not started for 30 days go; younger ones and foreign folders stay."""
    old, young = cache / "runtime" / ("0" * 32), cache / "runtime" / ("1" * 32)
    foreign = cache / "runtime" / "notes"
    for folder in (old, young, foreign):
        (folder / "lib").mkdir(parents=True)
        (folder / "lib" / "file").touch()
    age(old, 31 * DAY_S)
    age(young, 29 * DAY_S)
    age(foreign, 31 * DAY_S)

    run(solofile)

    assert folders(cache) == sorted([young.name, foreign.name, folder_name(package)])


def test_keeps_an_old_runtime_in_use(
    tmp_path: Path, launcher: Path, run: Run, solofile: Path, package: Path, cache: Path
) -> None:
    """A runtime that has run for a month is not swept from under it."""
    other = make_package(tmp_path / "package", RUNTIME + "# another\n")
    newer = make_solofile(tmp_path / "newer", launcher, other)
    with subprocess.Popen(
        [solofile, "wait"],
        env={"SOLOFILE_CACHE": str(cache)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        while "ready" not in running.stdout.readline():
            pass
        age(cache / "runtime" / folder_name(package), 31 * DAY_S)
        run(newer)
        assert len(folders(cache)) == 2
        running.communicate("done\n")

    age(cache / "runtime" / folder_name(package), 31 * DAY_S)
    run(newer)
    assert folders(cache) == [folder_name(other)]


@pytest.mark.parametrize("damage", ["removed", "emptied"])
def test_mends_an_incomplete_folder(
    run: Run, solofile: Path, package: Path, cache: Path, damage: str
) -> None:
    """A folder from which something was taken is unpacked anew."""
    run(solofile)
    victim = cache / "runtime" / folder_name(package) / "lib" / "data.so.1"
    if damage == "removed":
        victim.unlink()
    else:
        victim.write_bytes(b"")

    assert run(solofile).returncode == 0
    assert victim.stat().st_size == 256 * 40
    assert folders(cache) == [folder_name(package)]
