"""The libraries of a kit that computes on GPUs: its plugins, and what measures their memory."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from builder import console
from builder.cache.items import made_once
from builder.files import atomic_folder
from builder.native import llamacpp
from builder.native.toolchain import ZIG, compile_program, zig
from builder.targets import Target
from runtime.user_folders import user_cache_dir

_SOURCE = Path(__file__).with_name("memory_breakdown.cpp")
_NAME = "libsolofile-memory.so"
_FLAGS = ["-std=c++17", "-O2", "-g0", "-s", "-fPIC", "-shared", "-fvisibility=hidden"]
_COMPILERS = {"zig": ZIG, "system": "c++"}


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
    parts = [llamacpp.SDIST_SHA256, _COMPILERS[toolchain], *_FLAGS, _SOURCE.read_text("utf-8")]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    name = f"memory-{target.name}-{toolchain}-{key[:12]}"
    folder = user_cache_dir() / "llamacpp" / llamacpp.VERSION / name
    libraries = llamacpp.native_libraries(target, toolchain=toolchain)

    def make(_lock: int) -> None:
        with console.status(f"Compiling {_NAME}"), atomic_folder(folder) as part:
            _compile(target, toolchain, libraries, part / _NAME)

    return made_once(folder, make) / _NAME


def _compile(target: Target, toolchain: str, libraries: Path, output: Path) -> None:
    source = llamacpp.source_folder() / "vendor" / "llama.cpp"
    includes = [source / "include", source / "ggml" / "include", source / "src"]
    compiler = [str(zig()), "c++", "-target", target.zig_triple]
    command = [
        *(compiler if toolchain == "zig" else ["c++"]),
        *_FLAGS,
        *(f"-I{folder}" for folder in includes),
        str(_SOURCE),
        f"-L{libraries}",
        "-lllama",
        "-lggml-base",
        "-o",
        str(output),
    ]
    compile_program(command, _NAME, f"the source is {_SOURCE.name}")
