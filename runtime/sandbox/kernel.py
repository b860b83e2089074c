"""Calls of Linux that the C library has no functions for, or that Python has none for."""

import ctypes
import functools
import os
from typing import Any

_PR_SET_NO_NEW_PRIVS = 38


def call(number: int, *arguments: Any) -> int:
    """Make a system call.

    Args:
        number: Which one, on this processor.
        arguments: What it takes: whole numbers, and what ctypes passes by reference.

    Raises:
        OSError: It failed.
    """
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return _checked(_c_library().syscall(ctypes.c_long(number), *given))


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
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library
