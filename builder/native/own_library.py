"""Libraries of our own that lie beside llama.cpp's, each compiled from one source against them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from builder import console
from builder.cache.items import made_once
from builder.files import atomic_folder
from builder.native import llamacpp
from builder.native.toolchain import ZIG, compile_program, zig
from builder.targets import Target
from runtime.user_folders import user_cache_dir

_FLAGS = ["-O2", "-g0", "-s", "-fPIC", "-shared", "-fvisibility=hidden"]


@dataclass(frozen=True, slots=True)
class OwnLibrary:
    """A library to compile.

    Args:
        name: Its file's name.
        source: The one file it is made from.
        compiler: `cc` or `c++`.
        flags: What that is told besides the usual.
        links: llama.cpp's libraries that it calls.
    """

    name: str
    source: Path
    compiler: str
    flags: tuple[str, ...]
    links: tuple[str, ...]


def own_library(library: OwnLibrary, target: Target, *, toolchain: str = "zig") -> Path:
    """Return the library for a target, compiled on first use.

    Raises:
        SourceError: A download failed.
        ToolError: The compiler failed.
    """
    compiler = ZIG if toolchain == "zig" else library.compiler
    parts = [llamacpp.SDIST_SHA256, compiler, *_FLAGS, *library.flags, *library.links]
    key = hashlib.sha256("\n".join([*parts, library.source.read_text("utf-8")]).encode())
    name = f"{library.source.stem}-{target.name}-{toolchain}-{key.hexdigest()[:12]}"
    folder = user_cache_dir() / "llamacpp" / llamacpp.VERSION / name
    beside = llamacpp.native_libraries(target, toolchain=toolchain)

    def make(_lock: int) -> None:
        with console.status(f"Compiling {library.name}"), atomic_folder(folder) as part:
            _compile(library, target, toolchain, beside, part / library.name)

    return made_once(folder, make) / library.name


def _compile(
    library: OwnLibrary, target: Target, toolchain: str, beside: Path, output: Path
) -> None:
    source = llamacpp.source_folder() / "vendor" / "llama.cpp"
    includes = [source / "include", source / "ggml" / "include", source / "src"]
    zig_compiler = [str(zig()), library.compiler, "-target", target.zig_triple]
    command = [
        *(zig_compiler if toolchain == "zig" else [library.compiler]),
        *_FLAGS,
        *library.flags,
        *(f"-I{folder}" for folder in includes),
        str(library.source),
        f"-L{beside}",
        *(f"-l{name}" for name in library.links),
        "-o",
        str(output),
    ]
    compile_program(command, library.name, f"the source is {library.source.name}")
