"""How llama.cpp's CUDA plugin is built: what cmake is told, and what of ours goes in."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from builder import console
from builder.native.cuda.toolkit import Toolkit

# Turing, Ampere with Ada, Hopper, RTX 50; others' drivers compile Hopper's code, which they can
# where they are as new as the compiler. Finished code runs with each driver since CUDA 13.0.
ARCHITECTURES = "75-real;80-real;90;120-real"
_FOLDER = Path(__file__).parent
_SUFFIXES = {".c", ".cmake", ".cu", ".h", ".hpp"}
_SOURCES = sorted(path for path in _FOLDER.rglob("*") if path.suffix in _SUFFIXES)


def architectures() -> str:
    """Return the GPUs to compile for: cmake's own variable may name others."""
    return os.environ.get("CUDAARCHS") or ARCHITECTURES


def cuda_options() -> list[str]:
    """Return what cmake is told wherever the toolkit lies."""
    return [
        "-DGGML_CUDA=ON",
        "-DGGML_CUDA_NCCL=OFF",
        "-DCMAKE_CUDA_RUNTIME_LIBRARY=Static",
        f"-DCMAKE_CUDA_ARCHITECTURES={architectures()}",
    ]


def cuda_tools(toolkit: Toolkit) -> str:
    """Return what besides the options decides the plugin, in a few words or lines."""
    digest = hashlib.sha256()
    for path in _SOURCES:
        digest.update(path.read_bytes())
    return f"{toolkit.version} {architectures()} {digest.hexdigest()}"


def prepare_cuda(toolkit: Toolkit) -> Callable[[Path], list[str]]:
    """Return what tells cmake where things lie, once a build's folder is known."""

    def prepare(build: Path) -> list[str]:
        root = toolkit.root()
        console.info(
            f"The CUDA plugin is compiled for {architectures()}, which can take hours; CUDAARCHS "
            "names other GPUs. An interrupted build goes on where it was."
        )
        options = [
            f"-DCMAKE_PROJECT_ggml_INCLUDE={_FOLDER / 'plugin.cmake'}",
            f"-DCMAKE_CUDA_COMPILER={root / 'bin' / 'nvcc'}",
            f"-DCUDAToolkit_ROOT={root}",
            # Already what cmake tries the compiler with needs our headers.
            f'-DCMAKE_CUDA_FLAGS=-I"{_FOLDER / "include"}"',
        ]
        if toolkit.toolchain == "zig":
            compiler = build / "wrappers" / "c++"
            # The wheels have it in no other form; cmake looks for it to find the rest.
            runtime = root / "lib" / "libcudart_static.a"
            options += [f"-DCMAKE_CUDA_HOST_COMPILER={compiler}", f"-DCUDA_CUDART={runtime}"]
        return options

    return prepare
