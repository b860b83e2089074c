"""Holding back a second process that would do the same long work."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from builder import console

if sys.platform != "win32":
    import fcntl

_WAITING = "Another build is at the same work; waiting for it."


@contextmanager
def opened_alone(path: Path, mode: str, waiting: str) -> Iterator[IO[bytes]]:
    """Open a file, which is made where it is not there, once no other process has it open so.

    Args:
        path: The file.
        mode: How to open it; a binary one that makes it.
        waiting: What is said if that takes a while.
    """
    while True:
        with path.open(mode) as file:
            if sys.platform != "win32":
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    console.info(waiting)
                    fcntl.flock(file, fcntl.LOCK_EX)
            # The one that held it before may have moved or removed what was opened here.
            if not is_still_at(path, file.fileno()):
                continue
            yield file
            return


@contextmanager
def one_at_a_time(lock: Path, waiting: str = _WAITING) -> Iterator[int]:
    """Wait until no other process is inside such a block with the same file, which is made for it.

    Args:
        lock: The file.
        waiting: What is said if that takes a while.

    Yields:
        The file's descriptor: a child that inherits it keeps others out until it ends, too.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with opened_alone(lock, "wb", waiting) as file:
        try:
            yield file.fileno()
        finally:
            if sys.platform != "win32":  # Nothing that is open can be removed there.
                lock.unlink(missing_ok=True)


def is_still_at(path: Path, descriptor: int) -> bool:
    """Say whether what was opened has not been moved or removed since."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False
