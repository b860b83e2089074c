"""GPU plugins: ggml's backends that lie beside the libraries, loaded when a GPU is wanted."""

import ctypes
import functools
import logging
from pathlib import Path

import msgspec

from runtime.engine.llama import ggml_library, gpu_plugin_folder

logger = logging.getLogger(__name__)

_PATTERN = "*ggml-*"
# ggml's level of errors, and what it calls for each line of its log.
_ERROR = 4
_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
# What each plugin asks the system for, by a part of its name, and what brings it.
_DRIVERS = {
    "vulkan": ("libvulkan", "vulkan-1.dll"),
    "cuda": ("libcuda", "nvcuda.dll"),
}


class Plugin(msgspec.Struct, frozen=True):
    """A GPU plugin of this solofile.

    Args:
        name: As `kit build --gpu` has it.
        complaint: Why it is of no use on this machine; empty where it may be.
    """

    name: str
    complaint: str


@functools.cache
def load_plugins() -> tuple[Plugin, ...]:
    """Load all plugins, once; their devices are llama.cpp's from then on."""
    return tuple(_loaded(path) for path in sorted(gpu_plugin_folder().glob(_PATTERN)))


def _loaded(path: Path) -> Plugin:
    name = path.name.partition("ggml-")[2].partition(".")[0]
    backend, errors = _load(path)
    if backend is None:
        return Plugin(name, _why_not(path, name))
    count = ggml_library("ggml-base").ggml_backend_reg_dev_count
    count.restype = ctypes.c_size_t
    count.argtypes = [ctypes.c_void_p]
    if count(backend):
        return Plugin(name, "")
    why = f" ({errors[-1]})" if errors else ""
    return Plugin(name, f"{name} finds no GPU with a driver{why}")


def _load(path: Path) -> tuple[int | None, list[str]]:
    """Have ggml load a plugin, and return it with the errors that only the log tells of."""
    errors = []

    def hear(level: int, text: bytes, _user_data: object) -> None:
        line = text.decode(errors="replace").strip()
        logger.debug("llama.cpp: %s", line)
        if level == _ERROR:
            # The function's name comes first.
            errors.append(line.partition(": ")[2] or line)

    base = ggml_library("ggml-base")
    log, user_data, listener = ctypes.c_void_p(), ctypes.c_void_p(), _LOG(hear)
    base.ggml_log_get(ctypes.byref(log), ctypes.byref(user_data))
    base.ggml_log_set(listener, None)
    try:
        load = ggml_library("ggml").ggml_backend_load
        load.restype = ctypes.c_void_p
        load.argtypes = [ctypes.c_char_p]
        return load(str(path).encode()), errors
    finally:
        base.ggml_log_set(log, user_data)


def _why_not(path: Path, name: str) -> str:
    """Return why ggml could not load a plugin: it tells its log alone, and that in debug builds."""
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        reason = str(error).partition(":")[0]
        if any(driver in reason for driver in _DRIVERS.get(name, ())):
            return f"the system has no driver for {name} ({reason} is missing)"
        return f"the {name} plugin cannot be loaded: {error}"
    return f"{name} finds no GPU with a driver"
