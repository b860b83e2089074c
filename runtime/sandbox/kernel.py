"""Calls of Linux that the C library has no functions for, or that Python has none for.

They end at once and keep the interpreter's lock: at a start a thread beside is busy importing, and
waiting for the lock after each of a hundred calls would take longer than all of them.
"""

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PR_SET_NO_NEW_PRIVS = 38


def call(number: int, *arguments: int | bytes) -> int:
    """Make a system call.

    Args:
        number: Which one, on this processor.
        arguments: What it takes: whole numbers, and bytes whose address is passed.

    Raises:
        OSError: It failed.
    """
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return _checked(_c_library().syscall(ctypes.c_long(number), *given))


@contextmanager
def place(path: str) -> Iterator[int]:
    """Yield a descriptor that stands for a path, and can read nothing.

    Raises:
        OSError: It is not there, or behind a folder that this user may not enter.
    """
    library = _c_library()
    descriptor = _checked(library.open(os.fsencode(path), os.O_PATH | os.O_CLOEXEC))
    try:
        yield descriptor
    finally:
        library.close(descriptor)


def give_up_new_privileges() -> None:
    """Let nothing that this thread starts have more rights than it has, such as by setuid.

    Raises:
        OSError: The kernel is older than 3.5.
    """
    zero = ctypes.c_ulong(0)
    _checked(_c_library().prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero))


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


@functools.cache
def _c_library() -> Any:
    library = ctypes.PyDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library
