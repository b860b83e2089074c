"""The libraries of a kit that computes on GPUs: its plugins, and what measures their memory."""

from collections.abc import Sequence
from pathlib import Path

from builder.native import llamacpp
from builder.native.own_library import OwnLibrary, own_library
from builder.targets import Target

_LIBRARY = OwnLibrary(
    name="libsolofile-memory.so",
    source=Path(__file__).with_name("memory_breakdown.cpp"),
    compiler="c++",
    flags=("-std=c++17",),
    links=("llama", "ggml-base"),
)


def gpu_libraries(target: Target, names: Sequence[str], *, toolchain: str = "zig") -> list[Path]:
    """Return the libraries of the GPU plugins `names`, built on first use; none for no names.

    Raises:
        SourceError: A download failed.
        ToolError: A plugin cannot be built here, or the compiler failed.
    """
    if not names:
        return []
    folders = [llamacpp.gpu_plugin(target, name, toolchain=toolchain) for name in names]
    plugins = [path for folder in folders for path in sorted(folder.iterdir())]
    return [*plugins, memory_library(target, toolchain=toolchain)]


def memory_library(target: Target, *, toolchain: str = "zig") -> Path:
    """Return the library that tells what a context takes of each device, built on first use.

    Raises:
        SourceError: A download failed.
        ToolError: The compiler failed.
    """
    return own_library(_LIBRARY, target, toolchain=toolchain)
