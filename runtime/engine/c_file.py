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
    if sys.platform == "win32":
        c = ctypes.CDLL("ucrtbase", use_errno=True)
        # fopen takes names in the code page that the user's language has.
        open_file, seek, text = c._wfopen, c._fseeki64, ctypes.c_wchar_p
        name, mode = str(path), "rb"
    else:
        c = ctypes.CDLL(None, use_errno=True)
        open_file, seek, text = c.fopen, c.fseeko, ctypes.c_char_p
        name, mode = os.fsencode(path), b"rb"
    open_file.restype = ctypes.c_void_p
    open_file.argtypes = [text, text]
    seek.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int]
    c.fclose.argtypes = [ctypes.c_void_p]
    pointer = open_file(name, mode)
    if not pointer:
        error = ctypes.get_errno()
        raise DamagedFileError(f"{path} cannot be read: {os.strerror(error)}.")
    try:
        seek(pointer, offset, os.SEEK_SET)
        return read(pointer)
    finally:
        c.fclose(pointer)
