"""GPU plugins: ggml's backends that lie beside the libraries, loaded when a GPU is wanted."""

import ctypes
import functools
from pathlib import Path

import msgspec

from runtime.engine.llama import ggml_library, gpu_plugin_folder

_PATTERN = "*ggml-*"
# What each plugin asks the system for, by a part of its name, and what brings it.
_DRIVERS = {
    "vulkan": ("libvulkan", "vulkan-1.dll"),
    "cuda": ("libcuda", "libcudart", "libcublas", "nvcuda.dll"),
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
    load = ggml_library("ggml").ggml_backend_load
    load.restype = ctypes.c_void_p
    load.argtypes = [ctypes.c_char_p]
    found = sorted(gpu_plugin_folder().glob(_PATTERN))
    return tuple(_loaded(path, load(str(path).encode())) for path in found)


def _loaded(path: Path, backend: int | None) -> Plugin:
    name = path.name.partition("ggml-")[2].partition(".")[0]
    if backend is None:
        return Plugin(name, _why_not(path, name))
    count = ggml_library("ggml-base").ggml_backend_reg_dev_count
    count.restype = ctypes.c_size_t
    count.argtypes = [ctypes.c_void_p]
    return Plugin(name, "" if count(backend) else f"{name} finds no GPU with a driver")


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
