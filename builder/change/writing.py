"""Writing into a file that is there already, and what its failures are called."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from builder.errors import DiskError
from runtime.errors import UsageError


@contextmanager
def explained_changes(path: Path) -> Iterator[None]:
    """Turn the operating system's errors while a file is changed into one clear sentence.

    Raises:
        DiskError: It cannot be written, or the disk is full.
        UsageError: It runs at this moment.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ETXTBSY:
            raise running(path) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskError(
                f"The disk with {path.parent} is full.", hint="Free some space and run this again."
            ) from error
        raise DiskError(f"{path} cannot be written: {error.strerror}.") from error


def running(path: Path) -> UsageError:
    """Return the error that says a file runs that is to be changed in place."""
    return UsageError(f"{path} runs at this moment.", hint="End it first.")


def write_all(file: IO[bytes], data: bytes) -> None:
    """Write into a file without a buffer, which may take less at a time."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
