"""Writing files and folders so that a reader never sees half of one."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from builder.errors import DiskError

CHUNK_BYTES = 4 << 20


@contextmanager
def explained_disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's write errors under `path` into one clear sentence.

    Raises:
        DiskError: The disk is full, or the folder is missing or not writable.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskError(
                f"The disk with {path.parent} is full.", hint="Free some space and run this again."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DiskError(
                f"{path.parent} is not writable.", hint="Choose another place with -o PATH."
            ) from error
        if error.errno in (errno.ENOENT, errno.ENOTDIR) and not path.parent.is_dir():
            raise DiskError(
                f"{path.parent} is not a folder.", hint="Create it, or choose another place."
            ) from error
        raise


@contextmanager
def atomic_file(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path` that takes its name only when the block succeeds.

    Raises:
        DiskError: The folder is not writable or the disk is full.
    """
    with explained_disk_errors(path):
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(mode)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its name only when the block succeeds.

    If another process finished the same folder first, its result stands.

    Raises:
        DiskError: The parent folder is not writable or the disk is full.
    """
    with explained_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        try:
            yield temporary
            temporary.chmod(0o755)
            try:
                temporary.rename(path)
            except OSError:
                if not path.is_dir():
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def sha256_of(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """Return the file's SHA-256 in hex, telling `advance` the bytes of each chunk."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()
