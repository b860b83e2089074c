"""Files and folders that are there whole or not at all."""

import errno
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builder.errors import DiskError
from builder.files import (
    STALE_AFTER_S,
    atomic_file,
    atomic_folder,
    atomic_path,
    explained_disk_errors,
    require_space,
    require_writable,
    sha256_of,
)

# Writes a file or folder atomically and stops in the middle of it, until it is killed.
HALF_WAY = """
import sys, time
from pathlib import Path
from builder.files import atomic_file, atomic_folder
path = Path(sys.argv[2])
if sys.argv[1] == "file":
    with atomic_file(path) as file:
        file.write(b"half")
        print("ready", flush=True)
        time.sleep(60)
else:
    with atomic_folder(path) as part:
        (part / "half").write_bytes(b"half")
        print("ready", flush=True)
        time.sleep(60)
"""


def test_a_finished_file_takes_its_name(tmp_path: Path) -> None:
    """The file appears whole, with the mode asked for, and nothing else is left."""
    path = tmp_path / "new"
    with atomic_file(path, mode=0o755) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o755
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_file_leaves_the_old_one(tmp_path: Path) -> None:
    """An error in the block keeps the old file and removes the new one."""
    path = tmp_path / "old"
    path.write_bytes(b"old")

    def interrupted(chunk: bytes) -> None:
        with atomic_file(path) as file:
            file.write(chunk)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_program_can_be_started_before_it_has_its_name(tmp_path: Path) -> None:
    """The temporary file is closed for writing: the system starts it."""
    with atomic_path(tmp_path / "program", mode=0o755) as part:
        part.write_text("#!/bin/sh\necho started\n", encoding="utf-8")
        part.chmod(0o755)
        assert subprocess.check_output([part], text=True) == "started\n"
    assert subprocess.check_output([tmp_path / "program"], text=True) == "started\n"


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT])
def test_what_a_killed_run_left_is_swept(
    tmp_path: Path, kind: str, signal_number: signal.Signals
) -> None:
    """After SIGKILL the next run removes the remains; while they are written it leaves them."""
    path = tmp_path / "target"
    process = subprocess.Popen(
        [sys.executable, "-c", HALF_WAY, kind, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        (part,) = tmp_path.iterdir()
        make_old(part)
        write(kind, path)
        assert part.exists(), "it is still being written"
        remove(path)
        process.send_signal(signal_number)
    assert part.exists() == (signal_number == signal.SIGKILL)
    assert not path.exists()
    write(kind, path)
    assert list(tmp_path.iterdir()) == [path]


def make_old(path: Path) -> None:
    """Make a file look as if it was written a while ago."""
    then = time.time() - 10 * STALE_AFTER_S
    os.utime(path, (then, then))


def write(kind: str, path: Path) -> None:
    """Write a file or folder to its end."""
    if kind == "file":
        with atomic_file(path) as file:
            file.write(b"whole")
    else:
        with atomic_folder(path) as part:
            (part / "whole").write_bytes(b"whole")


def remove(path: Path) -> None:
    """Remove a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_another_name_is_not_swept(tmp_path: Path) -> None:
    """Temporary files of other names are left alone."""
    other = tmp_path / ".target.extra.abcdefgh.part"
    other.write_bytes(b"")
    make_old(other)
    write("file", tmp_path / "target")
    assert other.exists()


def test_the_first_finished_folder_stands(tmp_path: Path) -> None:
    """Of two processes that make the same folder, the second keeps the first one's result."""
    path = tmp_path / "folder"
    with atomic_folder(path) as part:
        (part / "second").write_bytes(b"")
        path.mkdir()
        (path / "first").write_bytes(b"")
    assert [member.name for member in path.iterdir()] == ["first"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told(small_disk: Path) -> None:
    """Running out of space is one sentence, and leaves nothing behind."""
    with (
        pytest.raises(DiskError, match=f"The disk with {small_disk} is full"),
        atomic_file(small_disk / "large") as file,
    ):
        file.write(bytes(2 << 20))
    assert list(small_disk.iterdir()) == []


def test_a_used_up_quota_is_told(tmp_path: Path) -> None:
    """A quota that is used up is a full disk for its user."""
    with pytest.raises(DiskError, match="is full"), explained_disk_errors(tmp_path / "x"):
        raise OSError(errno.EDQUOT, "quota exceeded")


def test_too_little_space_is_told_before(small_disk: Path) -> None:
    """What will not fit is told with both numbers before it is begun."""
    with pytest.raises(DiskError, match=r"has 1\.0 MB free, and the solofile needs 5\.0 MB\."):
        require_space(small_disk, 5_000_000, purpose="the solofile")
    require_space(small_disk, 500_000, purpose="the solofile")
    disk = re.escape(f"The disk with {small_disk} has")
    with (
        pytest.raises(DiskError, match=disk),
        atomic_folder(small_disk / "stick") as part,
    ):
        require_space(part, 5_000_000, purpose="the bundle")


def test_a_folder_that_is_not_writable_is_told(read_only_folder: Path) -> None:
    """A folder nobody can write to is named."""
    sentence = f"{read_only_folder} is not writable"
    with pytest.raises(DiskError, match=sentence):
        require_writable(read_only_folder)
    for kind in ("file", "folder"):
        with pytest.raises(DiskError, match=sentence):
            write(kind, read_only_folder / "x")


@pytest.mark.parametrize("parent", ["missing", "a-file"])
def test_a_folder_that_is_none_is_told(tmp_path: Path, parent: str) -> None:
    """A missing folder, or a file in its place, is named."""
    (tmp_path / "a-file").write_bytes(b"")
    folder = tmp_path / parent
    with pytest.raises(DiskError, match=f"{folder} is not a folder"):
        require_writable(folder)
    with pytest.raises(DiskError, match=f"{folder} is not a folder"):
        write("file", folder / "x")


def test_other_errors_are_not_renamed(tmp_path: Path) -> None:
    """Only what has to do with the disk is turned into such a sentence."""
    with pytest.raises(InterruptedError), explained_disk_errors(tmp_path / "x"):
        raise OSError(errno.EINTR, "interrupted")


def test_sha256_of(tmp_path: Path) -> None:
    """A file is hashed piece by piece, each piece told."""
    path = tmp_path / "data"
    path.write_bytes(bytes(range(256)) * 40_000)
    pieces: list[int] = []
    assert sha256_of(path, pieces.append) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sum(pieces) == path.stat().st_size
    assert len(pieces) > 1
