"""The library that makes a start quicker, where the system lets it replace a part of ggml."""

from pathlib import Path

from builder.native.own_library import OwnLibrary, own_library
from builder.targets import Target
from runtime.engine.start_library import NAME

SOURCE = Path(__file__).with_name("start.cpp")
_LIBRARY = OwnLibrary(
    name=NAME,
    source=SOURCE,
    compiler="c++",
    flags=("-std=c++17", "-Wall", "-Wextra", "-Wl,-rpath,$ORIGIN"),
    links=("ggml-base",),
)


def start_libraries(target: Target, *, toolchain: str = "zig") -> list[Path]:
    """Return the library, compiled on first use; none where libraries find functions by file.

    Raises:
        SourceError: A download failed.
        ToolError: The compiler failed.
    """
    if not target.name.startswith("linux"):
        return []
    return [own_library(_LIBRARY, target, toolchain=toolchain)]
