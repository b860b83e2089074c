"""Places on file systems that cannot be used."""

import os
from pathlib import Path

import pytest

from runtime.package import HEADER_BYTES, PackageHeader
from tests.runtime.stub.solofiles import RUNTIME, Run, folders, make_package, make_solofile


def test_noexec(tmp_path: Path, solofile: Path, mounting: Run) -> None:
    """A place mounted noexec is passed over, with the reason."""
    home = tmp_path / "home"
    home.mkdir()

    completed = mounting(
        f"mount -t tmpfs -o noexec none {home}; exec {solofile} exit 6",
        environment={"HOME": str(home), "TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]},
    )

    assert completed.returncode == 6
    assert f"because {home}/.cache/solofile is on a file system mounted noexec" in (
        completed.stderr
    )


def test_read_only_home(tmp_path: Path, solofile: Path, mounting: Run) -> None:
    """A read-only home folder is passed over, with the reason."""
    home = tmp_path / "home"
    home.mkdir()

    completed = mounting(
        f"mount -t tmpfs -o ro none {home}; exec {solofile} exit 6",
        environment={"HOME": str(home), "TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]},
    )

    assert completed.returncode == 6
    assert f"because {home}/.cache/solofile is on a read-only file system" in completed.stderr


def test_temporary_folders_noexec(tmp_path: Path, solofile: Path, mounting: Run) -> None:
    """Without HOME, and with every temporary folder mounted noexec, the next place serves."""
    medium = tmp_path / "medium"
    medium.mkdir()
    solofile.rename(medium / "model")

    completed = mounting(
        f"mount --bind {medium} /mnt; mount -t tmpfs -o noexec none /tmp; "
        "mount -t tmpfs -o noexec none /var/tmp; mount -t tmpfs none /dev/shm; "
        "/mnt/model exit 6 || echo exit=$?; ls /dev/shm",
        environment={"PATH": os.environ["PATH"]},
    )

    assert completed.stdout.splitlines()[-2:] == ["exit=6", "solofile-0"]
    assert completed.stderr == (
        "model: Unpacked the runtime into /dev/shm/solofile-0, because /var/tmp/solofile-0 is on a "
        "file system mounted noexec.\n"
    )


def test_read_only_medium(tmp_path: Path, solofile: Path, mounting: Run) -> None:
    """A file on a read-only medium starts like any other."""
    medium, home = tmp_path / "medium", tmp_path / "home"
    for folder in (medium, home):
        folder.mkdir()
    solofile.rename(medium / "model")

    completed = mounting(
        f"mount --bind {medium} {medium}; mount -o remount,ro,bind {medium}; "
        f"exec {medium}/model exit 6",
        environment={"HOME": str(home), "PATH": os.environ["PATH"]},
    )

    assert (completed.returncode, completed.stderr) == (6, "")
    assert len(folders(home / ".cache" / "solofile")) == 1


def test_read_only_place_that_holds_the_runtime(
    run: Run, solofile: Path, cache: Path, mounting: Run
) -> None:
    """A runtime unpacked beforehand is used from a read-only place."""
    run(solofile)

    completed = mounting(
        f"mount --bind {cache} {cache}; mount -o remount,ro,bind {cache}; exec {solofile}"
    )

    assert completed.returncode == 0
    assert completed.stderr == ""


def test_no_place_at_all(tmp_path: Path, solofile: Path, mounting: Run) -> None:
    """Where nothing works, one sentence names every place and its reason, without /proc too."""
    root = tmp_path / "root"
    for name in ("home", "tmp"):
        (root / name).mkdir(parents=True)
    solofile.rename(root / "model")

    completed = mounting(
        f"mount --bind {root} {root}; mount -o remount,ro,bind {root}; exec chroot {root} /model",
        environment={"HOME": "/home", "PATH": os.environ["PATH"]},
    )

    user = "/solofile-0"
    assert completed.returncode == 5
    assert completed.stderr == (
        "model: There is no place to unpack the runtime: "
        "/home/.cache/solofile is on a read-only file system; "
        f"/var/tmp{user} does not exist; /tmp{user} is on a read-only file system; "
        f"/dev/shm{user} does not exist; /.solofile is on a read-only file system. To start "
        "it, give --unpack-dir or SOLOFILE_CACHE a writable folder on a disk that programs may be "
        "started from.\n"
    )


@pytest.mark.parametrize("is_foreseen", [True, False])
def test_full_disk(
    tmp_path: Path, launcher: Path, mounting: Run, cache: Path, is_foreseen: bool
) -> None:
    """A disk that is too small gives exit code 5 and is left as it was."""
    package = make_package(tmp_path / "package", RUNTIME, filler=bytes(20_000_000))
    data = package.read_bytes()
    if not is_foreseen:
        header = PackageHeader.unpack(data)
        small = PackageHeader(header.sha256, header.compressed_bytes, 1000)
        data = small.pack() + data[HEADER_BYTES:]
    solofile = make_solofile(tmp_path / "model", launcher, data)
    cache.mkdir()

    completed = mounting(
        f"mount -t tmpfs -o size=10m none {cache}; {solofile} || echo exit=$?; "
        f"ls -A {cache}/runtime; df --output=used {cache} | tail -n 1"
    )

    assert f"{cache} is on a disk that is full" in completed.stderr
    assert ("MB are needed" in completed.stderr) == is_foreseen
    assert completed.stdout.split() == ["exit=5", "0"]
