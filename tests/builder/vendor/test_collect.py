"""Filling a folder part by part: what is sound stays, what is not is made anew."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.errors import DiskError, SourceError
from builder.vendor.collect import Work, collect
from builder.vendor.folder import MANIFEST_NAME, read_folder
from runtime.errors import UsageError
from tests.builder.vendored import go_offline, write_vendored

KILLED = """
import os, signal, sys
from pathlib import Path
from builder.vendor.collect import Work, collect

def fill(folder):
    (folder / "big.whl").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

def small(folder):
    (folder / "small.whl").write_bytes(b"small")

collect(Path(sys.argv[1]), [Work("first", "", "", small), Work("second", "", "", fill)])
"""


class Maker:
    """Fills parts with one file, and knows how often."""

    def __init__(self) -> None:
        self.filled: list[str] = []

    def work(self, part: str, key: str = "") -> Work:
        """Return the work for a part."""

        def fill(folder: Path) -> None:
            self.filled.append(part)
            (folder / f"{part}.whl").write_bytes(f"{part}{key}".encode())

        return Work(part, part, key, fill)


def names(folder: Path) -> list[str]:
    """Return the files in a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_the_systems_own_program_checks_it(tmp_path: Path) -> None:
    """`sha256sum -c` knows every file, and finds one that was changed."""
    folder = write_vendored(
        tmp_path / "v", {"a": {"x.whl": b"x", "deep/y": b"y"}, "b": {"z": b"z"}}
    )
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == len([*folder.rglob("*.json"), "x", "y", "z"])
    (folder / "a" / "deep" / "y").write_bytes(b"Y")
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "a/deep/y: FAILED" in done.stdout


def test_a_file_that_the_disk_does_not_take(tmp_path: Path) -> None:
    """Where files may only have a certain size, that is told."""

    def fill(folder: Path) -> None:
        (folder / "big.whl").write_bytes(bytes(2 << 20))

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(DiskError, match="takes no file so large") as caught:
            collect(tmp_path / "v", [Work("a", "a", "", fill)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "exFAT" in caught.value.hint


def test_only_what_changed_is_made_again(tmp_path: Path) -> None:
    """A second run makes what has other contents now, and removes what nobody asked for."""
    maker, folder = Maker(), tmp_path / "new" / "vendored"
    collect(folder, [maker.work("a"), maker.work("b"), maker.work("c")])
    found = collect(folder, [maker.work("a"), maker.work("b", "other")])
    assert maker.filled == ["a", "b", "c", "b"]
    assert names(folder) == ["a/a.whl", "b/b.whl", MANIFEST_NAME]
    assert read_folder(folder) == found
    found.require_sound("b")


def test_what_is_damaged_is_made_again(tmp_path: Path) -> None:
    """Running it again repairs a folder, its manifest included."""
    maker = Maker()
    works = [maker.work("a"), maker.work("b")]
    collect(tmp_path / "v", works)
    (tmp_path / "v" / "a" / "a.whl").write_bytes(b"A")
    collect(tmp_path / "v", works)
    assert maker.filled == ["a", "b", "a"]
    (tmp_path / "v" / MANIFEST_NAME).write_bytes(b"{")
    collect(tmp_path / "v", works).require_sound("a")
    assert maker.filled == ["a", "b", "a", "a", "b"]


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """A run that was killed leaves whole parts and nothing that is taken for one."""
    folder = tmp_path / "v"
    subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert list(read_folder(folder).parts) == ["first"]
    assert not (folder / "second").exists()
    for left in folder.glob(".second.*"):
        os.utime(left, (0, 0))
    maker = Maker()
    collect(folder, [maker.work("first"), maker.work("second")])
    assert maker.filled == ["second"]
    assert names(folder) == ["first/small.whl", "second/second.whl", MANIFEST_NAME]


FIRST = """
import sys
from pathlib import Path
from builder.vendor.collect import Work, collect

def fill(folder):
    (folder / "a.whl").write_bytes(b"a")
    print("filling", flush=True)
    sys.stdin.readline()

collect(Path(sys.argv[1]), [Work("a", "", "", fill)])
"""


def test_two_at_once(tmp_path: Path) -> None:
    """The second run waits, says so, and finds what the first one made."""
    command = [sys.executable, "-c", FIRST, str(tmp_path / "v")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as first:
        assert first.stdout
        assert first.stdout.readline() == "filling\n"
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        ) as second:
            assert second.stderr
            waits = f"Another command fills {tmp_path / 'v'}; waiting for it.\n"
            assert second.stderr.readline() == waits
            first.communicate("\n")
            assert second.communicate() == ("", "")
    assert (first.returncode, second.returncode) == (0, 0)
    assert sorted(path.name for path in (tmp_path / "v").iterdir()) == [
        "SHA256SUMS",
        "a",
        MANIFEST_NAME,
    ]


def failing(error: Exception) -> Callable[[Path], None]:
    """Return what fills a part by half and fails."""

    def fill(folder: Path) -> None:
        (folder / "half.whl").write_bytes(b"half")
        raise error

    return fill


def test_a_failure_leaves_the_parts_before_it(tmp_path: Path) -> None:
    """Half a part is none."""
    works = [Maker().work("a"), Work("b", "b", "", failing(SourceError("no network")))]
    with pytest.raises(SourceError, match="no network"):
        collect(tmp_path / "v", works)
    assert names(tmp_path / "v") == ["a/a.whl", MANIFEST_NAME]


def test_a_folder_of_someone_elses(tmp_path: Path) -> None:
    """Nothing is written beside files that are not its own."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(UsageError, match="`vendor` did not make it"):
            collect(path, [Maker().work("a")])
    assert names(tmp_path) == ["notes.txt"]


def test_a_full_disk(small_disk: Path) -> None:
    """A stick that is too small is told."""

    def fill(folder: Path) -> None:
        (folder / "big.whl").write_bytes(bytes(2 << 20))

    with pytest.raises(DiskError, match="is full"):
        collect(small_disk / "v", [Work("a", "a", "", fill)])
    assert read_folder(small_disk / "v").parts == {}


def test_not_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no network cannot fetch for others."""
    go_offline(write_vendored(tmp_path / "v", {}), monkeypatch)
    with pytest.raises(SourceError, match=r"Could not fill .*other: the builder is offline"):
        collect(tmp_path / "other", [])
