"""One process at a time, also where one is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from builder.locks import is_still_at, one_at_a_time

HOLD = """
import sys, time
from pathlib import Path
from builder.locks import one_at_a_time
with one_at_a_time(Path(sys.argv[1])):
    print("inside", flush=True)
    sys.stdin.readline()
    print("leaving", flush=True)
"""


def start(lock: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_others_wait_and_say_so(tmp_path: Path) -> None:
    """Of three processes one is inside, the next comes in when it leaves, and no file is left."""
    lock = tmp_path / "lock"
    with start(lock) as first:
        assert first.stdout
        assert first.stdout.readline() == "inside\n"
        with start(lock) as second, start(lock) as third:
            for waiting in (second, third):
                assert waiting.stderr
                assert waiting.stderr.readline().startswith("Another build is at the same work")
            first.communicate("\n")
            for waiting in (second, third):
                assert waiting.stdin
                waiting.stdin.write("\n")
                waiting.stdin.flush()
            assert [waiting.wait(10) for waiting in (second, third)] == [0, 0]
    assert not lock.exists()


def test_a_killed_process_holds_nobody_back(tmp_path: Path) -> None:
    """Its file stays, its lock does not."""
    lock = tmp_path / "lock"
    with start(lock) as first:
        assert first.stdout
        assert first.stdout.readline() == "inside\n"
        first.kill()
    assert lock.exists()
    with one_at_a_time(lock):
        assert lock.exists()
    assert not lock.exists()


TOOL = """
import subprocess, sys
from pathlib import Path
from builder.locks import one_at_a_time
with one_at_a_time(Path(sys.argv[1])) as descriptor:
    tool = subprocess.Popen(["sleep", "60"], pass_fds=[descriptor])
    print(tool.pid, flush=True)
    tool.wait()
"""


def test_a_child_that_inherits_it_keeps_others_out(tmp_path: Path) -> None:
    """While a tool of a killed build still works, the next build waits."""
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", TOOL, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        tool = int(killed.stdout.readline())
        killed.kill()
    with start(lock) as second:
        assert second.stdout
        assert second.stderr
        assert second.stderr.readline().startswith("Another build is at the same work")
        os.kill(tool, signal.SIGKILL)
        assert second.stdout.readline() == "inside\n"
        second.communicate("\n")


def test_is_still_at(tmp_path: Path) -> None:
    """What was removed, or replaced by another of its name, is not there any more."""
    path = tmp_path / "file"
    with path.open("w") as file:
        assert is_still_at(path, file.fileno())
        path.unlink()
        assert not is_still_at(path, file.fileno())
        path.touch()
        assert not is_still_at(path, file.fileno())
