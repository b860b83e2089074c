"""A small library of our own, which makes a start quicker where it lies beside llama.cpp's.

A start waits for all that is imported here.
"""

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable

NAME = "libsolofile-start.so"
# The variants of the CPU backend, those first that ggml scores highest where they can run: it adds
# up what each is compiled to use (arch/x86/cpu-feats.cpp, arch/arm/cpu-feats.cpp).
VARIANTS = (
    "sapphirerapids", "zen4", "cooperlake", "icelake", "cascadelake", "cannonlake", "skylakex",
    "alderlake", "haswell", "piledriver", "ivybridge", "sandybridge", "sse42", "x64",
    "armv9.2_2", "armv9.2_1", "armv8.6_2", "armv8.6_1", "armv8.2_3", "armv8.2_2", "armv8.2_1",
    "armv8.0_1",
)  # fmt: skip


@functools.cache
def start_library() -> ctypes.CDLL | None:
    """Load the library; None where there is none.

    It takes the places of functions of llama.cpp's, for all libraries that are loaded after it.
    """
    path = f"{library_folder()}/{NAME}"
    return ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL) if os.path.exists(path) else None  # noqa: PTH110 - pathlib comes later


@functools.cache
def begin_opening() -> Callable[[], bool]:
    """Begin to open libllama and the CPU variant that ggml would choose, and none that score less.

    Returns:
        What waits for that, and says whether it was done. It is not where there is no such variant,
        or where a variable names a backend that ggml is to look for.
    """
    opened = []

    def open_all() -> None:
        library = None if "GGML_BACKEND_PATH" in os.environ else start_library()
        if library:
            folder = library_folder()
            files = [os.fsencode(f"{folder}/libggml-cpu-{name}.so") for name in VARIANTS]
            # Behind the last lies a null pointer.
            paths = (ctypes.c_char_p * (len(files) + 1))(*files)
            library.solofile_open.restype = ctypes.c_bool
            if library.solofile_open(os.fsencode(f"{folder}/libllama.so"), paths):
                opened.append(True)

    thread = threading.Thread(target=open_all)
    thread.start()

    def are_open() -> bool:
        thread.join()
        return bool(opened)

    return are_open


def make_room() -> None:
    """Make this thread quick at taking small pieces of memory, where there is the library."""
    if library := start_library():
        library.solofile_make_room()


def library_folder() -> str:
    """Return the folder with the native libraries: the frozen one, or `LLAMA_CPP_LIB_PATH`."""
    if frozen := getattr(sys, "_MEIPASS", None):
        return f"{frozen}/llama"
    return os.environ["LLAMA_CPP_LIB_PATH"]
