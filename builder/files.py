"""Writing files and folders so that a reader never sees half of one."""

import errno
import glob
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypedDict

from builder.console import human_bytes
from builder.errors import DiskError
from builder.file_range import FileRange

if sys.platform != "win32":
    import fcntl

CHUNK_BYTES = 4 << 20
# A temporary file is locked right after it is made; a younger one may not be locked yet.
STALE_AFTER_S = 2


@contextmanager
def explained_disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's write errors under `path` into one clear sentence.

    Raises:
        DiskError: The disk is full, or the folder is missing or not writable.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskError(
                f"The disk with {path.parent} is full.", hint="Free some space and run this again."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DiskError(
                f"{path.parent} is not writable.", hint="Choose another place with -o PATH."
            ) from error
        if error.errno == errno.EFBIG:
            raise DiskError(
                f"The disk with {path.parent} takes no file so large.",
                hint="FAT32 holds none of 4 GiB or more; use exFAT.",
            ) from error
        if error.errno in (errno.ENOENT, errno.ENOTDIR) and not path.parent.is_dir():
            raise DiskError(
                f"{path.parent} is not a folder.", hint="Create it, or choose another place."
            ) from error
        raise


@contextmanager
def atomic_path(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """Give an empty temporary file beside `path` that takes its name only if the block succeeds.

    What a killed run left beside `path` is removed first.

    Raises:
        DiskError: The folder is not writable or the disk is full.
    """
    with explained_disk_errors(path):
        _sweep(path)
        descriptor, name = tempfile.mkstemp(**_part_names(path))
        os.close(descriptor)
        temporary = Path(name)
        try:
            with _claimed(temporary):
                yield temporary
                temporary.chmod(mode)
                temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def atomic_file(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path` that takes its name only when the block succeeds.

    Raises:
        DiskError: The folder is not writable or the disk is full.
    """
    with atomic_path(path, mode=mode) as temporary, synced_file(temporary) as file:
        yield file


@contextmanager
def synced_file(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing; once the block is done, its bytes are on the disk."""
    with path.open("w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its name only when the block succeeds.

    If another process finished the same folder first, its result stands. What a killed run left
    beside `path` is removed first.

    Raises:
        DiskError: The parent folder is not writable or the disk is full.
    """
    with explained_disk_errors(path), scratch_folder(path) as temporary:
        yield temporary
        temporary.chmod(0o755)
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that goes when the block ends.

    What killed runs left of such folders for the same `path` is removed first.

    Raises:
        DiskError: The parent folder is not writable or the disk is full.
    """
    with explained_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        temporary = Path(tempfile.mkdtemp(**_part_names(path)))
    try:
        with _claimed(temporary):
            yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _PartNames(TypedDict):
    prefix: str
    suffix: str
    dir: Path


def _part_names(path: Path) -> _PartNames:
    return {"prefix": f".{path.name}.", "suffix": ".part", "dir": path.parent}


def _is_part(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == ".part"


@contextmanager
def _claimed(part: Path) -> Iterator[None]:
    """Hold a lock on a temporary file or folder: without one, nobody is writing it any more.

    The lock is on a descriptor opened for reading, so that a finished program can be started.
    """
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep(path: Path) -> None:
    """Remove the temporary files and folders of `path` that killed runs left."""
    names = _part_names(path)
    pattern = f"{glob.escape(names['prefix'])}????????{names['suffix']}"
    for part in path.parent.glob(pattern):
        try:
            if time.time() - part.stat().st_mtime > STALE_AFTER_S and not _is_claimed(part):
                shutil.rmtree(part) if part.is_dir() else part.unlink()
        except OSError:
            continue


def _is_claimed(part: Path) -> bool:
    if sys.platform == "win32":
        return False  # A file that is open there cannot be removed.
    descriptor = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def require_space(folder: Path, needed_bytes: int, *, purpose: str) -> None:
    """Check that the disk has room before anything is written to it.

    Args:
        folder: Where the bytes will go.
        needed_bytes: How many there will be.
        purpose: What they are, as in `the solofile`.

    Raises:
        DiskError: There is less free.
    """
    with explained_disk_errors(folder / "new"):
        free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        shown = folder.parent if _is_part(folder) else folder
        raise DiskError(
            f"The disk with {shown} has {human_bytes(free)} free, and {purpose} needs "
            f"{human_bytes(needed_bytes)}.",
            hint="Free some space, or choose another place.",
        )


def require_writable(folder: Path) -> None:
    """Check that files can be made in a folder, by making one.

    Raises:
        DiskError: The folder is missing or not writable.
    """
    with explained_disk_errors(folder / "new"), tempfile.TemporaryFile(dir=folder):
        pass


def sha256_of(source: Path | FileRange, advance: Callable[[int], None] = lambda _: None) -> str:
    """Return the SHA-256 of a file, or part of one, in hex; `advance` hears each chunk's bytes."""
    data = FileRange.of(source)
    digest = hashlib.sha256()
    left = data.size
    with data.path.open("rb") as file:
        file.seek(data.offset)
        while chunk := file.read(min(left, CHUNK_BYTES)):
            digest.update(chunk)
            advance(len(chunk))
            left -= len(chunk)
    return digest.hexdigest()
