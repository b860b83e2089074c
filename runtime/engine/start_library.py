"""A small library of our own, which makes a start quicker where it lies beside llama.cpp's."""

import ctypes
import functools
from pathlib import Path

NAME = "libsolofile-start.so"


@functools.cache
def start_library(folder: Path) -> ctypes.CDLL | None:
    """Load the library that lies in a folder; None where there is none.

    It takes the place of one of ggml's functions, for all libraries that are loaded after it.
    """
    path = folder / NAME
    return ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL) if path.exists() else None
