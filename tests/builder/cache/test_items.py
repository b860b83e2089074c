"""Items of the cache among processes that make, use and remove them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builder.cache.items import hold, is_held, made_once, remove
from builder.errors import DiskError

HOLD = """
import sys
from pathlib import Path
from builder.cache.items import hold
print(hold(Path(sys.argv[1])), flush=True)
sys.stdin.readline()
"""
MAKE = """
import sys, time
from pathlib import Path
from builder.cache.items import made_once
from builder.files import atomic_folder
path = Path(sys.argv[1])
def make(lock):
    with atomic_folder(path) as part:
        (part / "whole").touch()
        time.sleep(0.5)
        print("made", flush=True)
made_once(path, make)
assert (path / "whole").exists()
"""


@pytest.fixture(params=["file", "folder"])
def item(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file or a folder with one."""
    path = tmp_path / "item"
    if request.param == "file":
        path.write_bytes(b"x")
    else:
        path.mkdir()
        (path / "inside").write_bytes(b"x")
    return path


def start(script: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_is_held_stays(item: Path) -> None:
    """It stays as long as the process lives that uses it, however that ends, and was just used."""
    os.utime(item, (0, 0))
    with start(HOLD, item) as user:
        assert user.stdout
        assert user.stdout.readline() == "True\n"
        assert time.time() - item.stat().st_mtime < 60
        assert is_held(item)
        assert not remove(item)
        assert item.exists()
        user.kill()
    assert not is_held(item)
    assert remove(item)
    assert list(item.parent.iterdir()) == []


def test_holding_what_another_holds_leaves_its_time(item: Path) -> None:
    """The other may be packing it, and would take it for changed."""
    with start(HOLD, item) as user:
        assert user.stdout
        assert user.stdout.readline() == "True\n"
        os.utime(item, (1, 1))
        assert hold(item)
        assert item.stat().st_mtime == 1
        user.kill()


def test_what_is_not_there(tmp_path: Path) -> None:
    """There is nothing to hold or to remove."""
    assert not hold(tmp_path / "nothing")
    assert not is_held(tmp_path / "nothing")
    assert not remove(tmp_path / "nothing")


def test_an_item_made_again_is_held_again(item: Path) -> None:
    """After somebody removed it by hand, a new one of its name is not taken for the old one."""
    assert hold(item)
    item.rename(item.with_name("elsewhere"))
    assert not hold(item)
    item.touch()
    assert hold(item)
    assert is_held(item)


def test_two_processes_make_it_once(tmp_path: Path) -> None:
    """The second finds what the first made; no lock is left."""
    path = tmp_path / "folder" / "item"
    with start(MAKE, path) as first, start(MAKE, path) as second:
        said = [process.communicate(timeout=20)[0] for process in (first, second)]
    assert sorted(said) == ["", "made\n"]
    assert (first.returncode, second.returncode) == (0, 0)
    assert [one.name for one in path.parent.iterdir()] == ["item"]


def test_a_failure_can_be_tried_again(tmp_path: Path) -> None:
    """What failed leaves nothing that is taken for the item."""
    path = tmp_path / "item"

    def fail(_lock: int) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        made_once(path, fail)
    assert list(tmp_path.iterdir()) == []
    made_once(path, lambda _lock: path.write_bytes(b"whole"))
    assert path.read_bytes() == b"whole"


def test_a_cache_that_is_not_writable(read_only_folder: Path) -> None:
    """It is told in one sentence."""
    path = read_only_folder / "item"
    with pytest.raises(DiskError, match="is not writable"):
        made_once(path, lambda _lock: path.touch())
