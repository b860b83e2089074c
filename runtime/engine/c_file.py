"""A file opened by the C runtime, whose FILE* llama.cpp reads from."""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from runtime.errors import DamagedFileError

T = TypeVar("T")


def with_c_file(path: Path, offset: int, read: Callable[[Any], T]) -> T:
    """Call `read` with a FILE* that stands at `offset` bytes from the file's start.

    Raises:
        DamagedFileError: The file cannot be opened.
    """
    c = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None, use_errno=True)
    c.fopen.restype = ctypes.c_void_p
    c.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    c.fseeko.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int]
    c.fclose.argtypes = [ctypes.c_void_p]
    pointer = c.fopen(os.fsencode(path), b"rb")
    if not pointer:
        error = ctypes.get_errno()
        raise DamagedFileError(f"{path} cannot be read: {os.strerror(error)}.")
    try:
        c.fseeko(pointer, offset, os.SEEK_SET)
        return read(pointer)
    finally:
        c.fclose(pointer)
