"""Items of the cache: made once, held while a process uses them, removed when none does.

An item is a file or folder that is there whole or not at all. Whoever uses one holds a shared lock
on it until the process ends, as the launcher does with an unpacked runtime.
"""

import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from builder.files import explained_disk_errors
from builder.locks import is_still_at, one_at_a_time

if sys.platform != "win32":
    import fcntl

# The descriptors of what this process holds, which close when it ends.
_held: dict[Path, int] = {}


def hold(path: Path) -> bool:
    """Keep an item from being removed until this process ends, and note that it was used.

    Returns:
        Whether there is such an item.
    """
    if path in _held and is_still_at(path, _held[path]):
        return True
    if sys.platform == "win32":
        return path.exists()
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    if _locked_alone(descriptor):
        _note_use(descriptor)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    if not is_still_at(path, descriptor):  # It was just being removed.
        os.close(descriptor)
        return False
    if path in _held:
        os.close(_held[path])
    _held[path] = descriptor
    return True


def made_once(path: Path, make: Callable[[int], object]) -> Path:
    """Return an item, made on first use and held until this process ends.

    Where several processes want it, one makes it and the others wait.

    Args:
        path: Where it lies.
        make: Makes it, there whole or not at all. It is given the lock's descriptor: a child that
            inherits it keeps others out even when this process is killed.

    Raises:
        DiskError: The cache is full or not writable.
    """
    with explained_disk_errors(path):
        while not hold(path):
            with one_at_a_time(path.with_name(f".{path.name}.lock")) as lock:
                if not path.exists():
                    make(lock)
    return path


def remove(path: Path) -> bool:
    """Remove an item unless some process holds it.

    It loses its name at once and then its bytes, so that whatever interrupts this, there is never
    half an item.

    Returns:
        Whether it was removed.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        if not _is_free(path, descriptor):
            return False
        doomed = path.with_name(_doomed_name(path))
        path.rename(doomed)
        shutil.rmtree(doomed) if doomed.is_dir() else doomed.unlink()
    finally:
        os.close(descriptor)
    return True


def is_held(path: Path) -> bool:
    """Say whether some process holds an item, or is still writing it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _is_free(path, descriptor)
    finally:
        os.close(descriptor)


def _is_free(path: Path, descriptor: int) -> bool:
    if sys.platform == "win32":
        return True  # What is open there cannot be removed.
    return _locked_alone(descriptor) and is_still_at(path, descriptor)


def _locked_alone(descriptor: int) -> bool:
    """Lock an item unless some process holds it, and say whether that went well."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _note_use(descriptor: int) -> None:
    """Set an item's time to now; only of one that nobody else holds, who might be packing it."""
    try:
        os.utime(descriptor)
    except OSError:  # A cache that may only be read.
        pass


def _doomed_name(path: Path) -> str:
    """Return a name whose remains are swept: by the launcher for runtimes, by the next build."""
    if path.parent.name == "runtime":
        return f"{path.name[:32]}.part.{os.getpid()}.{time.monotonic_ns()}"
    return f".{path.name}.{secrets.token_hex(4)}.part"
