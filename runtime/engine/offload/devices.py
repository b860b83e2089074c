"""The devices llama.cpp knows, and the memory they have."""

import ctypes
from enum import IntEnum
from typing import Any

import msgspec

from runtime.engine.llama import ggml_library
from runtime.engine.offload.plugins import load_plugins


class DeviceKind(IntEnum):
    """What a device is, by ggml's numbers."""

    CPU = 0
    GPU = 1
    INTEGRATED_GPU = 2
    ACCELERATOR = 3
    META = 4


class Device(msgspec.Struct, frozen=True):
    """A device as it is now.

    Args:
        handle: llama.cpp's.
        name: By which users choose it, as in `Vulkan0`.
        description: What it is.
        kind: What of.
        free_bytes: Memory that is free; 0 where it does not tell.
        total_bytes: Memory in all; 0 where it does not tell.
    """

    handle: int
    name: str
    description: str
    kind: DeviceKind
    free_bytes: int
    total_bytes: int

    @property
    def is_gpu(self) -> bool:
        """Whether layers of a model can go there."""
        return self.kind in (DeviceKind.GPU, DeviceKind.INTEGRATED_GPU)


def devices() -> list[Device]:
    """Return all devices of the backends that are loaded, in llama.cpp's order."""
    ggml = ggml_library("ggml")
    count, get = ggml.ggml_backend_dev_count, ggml.ggml_backend_dev_get
    count.restype = ctypes.c_size_t
    get.restype = ctypes.c_void_p
    get.argtypes = [ctypes.c_size_t]
    return [_device(ggml_library("ggml-base"), get(index)) for index in range(count())]


def gpus() -> list[Device]:
    """Return those that layers of a model can go to."""
    return [device for device in devices() if device.is_gpu]


def gpu_memory_bytes() -> int:
    """Return the memory that all GPUs have beside the machine's own."""
    load_plugins()
    return sum(device.total_bytes for device in gpus() if device.kind is DeviceKind.GPU)


def _device(base: Any, handle: int) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    pointer = ctypes.c_void_p(handle)
    base.ggml_backend_dev_memory(pointer, ctypes.byref(free), ctypes.byref(total))
    return Device(
        handle,
        _text(base.ggml_backend_dev_name, pointer),
        _text(base.ggml_backend_dev_description, pointer),
        DeviceKind(base.ggml_backend_dev_type(pointer)),
        free.value,
        total.value,
    )


def _text(function: Any, pointer: ctypes.c_void_p) -> str:
    function.restype = ctypes.c_char_p
    text: bytes = function(pointer)
    return text.decode(errors="replace")
