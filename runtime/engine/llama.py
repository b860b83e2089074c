"""The binding to llama.cpp: its ctypes layer, its CPU backend, and its log.

Only model.py, model_runner.py and what samples call it. The package's own `__init__` is not run:
it would import numpy and a second engine.
"""

import ctypes
import functools
import importlib
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from runtime.deferred_module import defer
from runtime.engine import start_library
from runtime.engine.start_library import begin_opening

logger = logging.getLogger(__name__)
T = TypeVar("T")

_KEPT_LOG_LINES = 50
_C_LIBRARY = "ucrtbase" if sys.platform == "win32" else None
# What the system's loader calls ggml's libraries. On Windows they may begin with lib, too.
_LIBRARY_NAMES = {"win32": "*{}.dll", "darwin": "lib{}.0.dylib"}


class Llama:
    """The loaded libraries and their log.

    The log is passed on only where someone reads it. Each of its lines, some hundred per start,
    is a call into Python from C, which waits for the interpreter's lock: with a busy main thread
    that made loading fifty times slower.

    Attributes:
        api: The functions and structures of llama.h, untyped.
    """

    def __init__(self, api: Any) -> None:
        self.api = api
        self._complaints: deque[str] = deque(maxlen=_KEPT_LOG_LINES)
        self._to_python = api.llama_log_callback(self._log)
        self._to_nobody = ctypes.cast(_do_nothing(), api.llama_log_callback)
        self._level = 0
        self._setters = [api.llama_log_set]

    @classmethod
    def load(cls) -> "Llama":
        """Load libllama and the CPU backend that suits this processor best."""
        begin_loading().join()
        llama = cls(_binding())
        llama._set_log()
        llama.api.llama_backend_init()
        return llama

    def why(self, failed: Callable[[], object]) -> list[str]:
        """Do once more what failed, and return what llama.cpp complains of; its log alone tells."""
        return self.listen(failed)[1]

    def listen(self, call: Callable[[], T]) -> tuple[T, list[str]]:
        """Do something, and return what it returns and what llama.cpp complains of meanwhile."""
        self._complaints.clear()
        self._log_to(self._to_python)
        try:
            return call(), list(self._complaints)
        finally:
            self._set_log()

    def vision_api(self) -> Any:
        """Load what reads images, and return its functions and structures, untyped."""
        os.environ["MTMD_CPP_LIB"] = str(library_folder())
        api = importlib.import_module("llama_cpp.mtmd_cpp")
        self._setters.append(api.mtmd_helper_log_set)
        self._set_log()
        return api

    def quick(self, name: str) -> Any:
        """Return a function of llama.h that ends at once, to be called many times.

        It keeps the interpreter's lock, since passing it on takes longer than such a call. No types
        are declared: the caller passes ctypes values or whole numbers, and sets `restype`.
        """
        library = ctypes.PyDLL(None, handle=self.api._lib._handle)
        return library[name]

    def _set_log(self) -> None:
        is_read = logger.isEnabledFor(logging.DEBUG)
        self._log_to(self._to_python if is_read else self._to_nobody)

    def _log_to(self, callback: Any) -> None:
        for set_log in self._setters:
            set_log(callback, None)

    def _log(self, level: int, text: bytes, _user_data: object) -> None:
        # Level 5 continues the line before it.
        self._level = level if level != 5 else self._level
        line = text.decode(errors="replace").strip()
        # Dots tell of progress.
        if not line.strip("."):
            return
        if self._level in (3, 4):
            self._complaints.append(line)
        logger.debug("llama.cpp: %s", line)


@functools.cache
def begin_loading() -> threading.Thread:
    """Begin to load the libraries, beside whatever else a start has to do.

    Returns:
        The thread that does, which ends with it.
    """
    thread = threading.Thread(target=_load_libraries)
    thread.start()
    return thread


def _load_libraries() -> None:
    _load_backends()
    _binding()


def _binding() -> Any:
    os.environ["LLAMA_CPP_LIB_PATH"] = str(library_folder())
    defer("llama_cpp")
    return importlib.import_module("llama_cpp.llama_cpp")


def _load_backends() -> None:
    if begin_opening()():
        return
    ggml = ggml_library("ggml")
    ggml.ggml_log_set(_do_nothing(), None)
    ggml.ggml_backend_load_all_from_path(str(library_folder()).encode())


def _do_nothing() -> Any:
    """Return a function of the C library that looks at its first argument and does nothing."""
    return ctypes.CDLL(_C_LIBRARY).abs


def ggml_library(name: str) -> Any:
    """Return one of ggml's own libraries: `ggml` has the backends, `ggml-base` what they share."""
    pattern = _LIBRARY_NAMES.get(sys.platform, "lib{}.so.0").format(name)
    return ctypes.CDLL(str(next(library_folder().glob(pattern))))


def has_gpu_plugins() -> bool:
    """Say whether this solofile can compute on any GPU; Metal is one of the libraries."""
    if gpu_plugin_folder().is_dir():
        return True
    return sys.platform == "darwin" and any(library_folder().glob("*ggml-metal*"))


def gpu_plugin_folder() -> Path:
    """Return the folder of the GPU plugins, which is there where this solofile has any.

    It lies inside that of the libraries, so that what loads those never comes across them.
    """
    return library_folder() / "gpu"


def library_folder() -> Path:
    """Return the folder with the native libraries."""
    return Path(start_library.library_folder())
