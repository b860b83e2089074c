"""The one pin of llama.cpp, its unpacked source, and the native libraries built from it.

llama-cpp-python's source distribution holds llama.cpp whole: sources, converter and tools.
Its version decides llama.cpp everywhere: libraries, binding, benchmarks.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from builder import console
from builder.cache.items import hold, made_once
from builder.errors import ToolError
from builder.files import atomic_folder
from builder.native.gpu import find_plugin, require_gpu_target
from builder.native.libraries import collect, library_options
from builder.native.toolchain import (
    Toolchain,
    cmake_and_ninja,
    system_toolchain,
    zig_environment,
    zig_toolchain,
)
from builder.pypi import download
from builder.targets import Target, host_target
from runtime.user_folders import user_cache_dir

VERSION = "0.3.36"
SDIST_SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
LLAMA_CPP_VERSION = "0.5.0"
LLAMA_CPP_COMMIT = "0c1e57098"

SERVER = "llama-server"
SERVER_OPTIONS = [
    "-DBUILD_SHARED_LIBS=OFF",
    "-DGGML_BACKEND_DL=OFF",
    "-DGGML_CPU_ALL_VARIANTS=OFF",
    "-DGGML_NATIVE=ON",
    "-DGGML_RPC=OFF",
    "-DLLAMA_BUILD_COMMON=ON",
    "-DLLAMA_BUILD_TOOLS=ON",
    "-DLLAMA_BUILD_SERVER=ON",
]

_NINJA_STEP = re.compile(r"^\[(\d+)/(\d+)\]")


def source_folder() -> Path:
    """Return the unpacked source distribution, downloaded and checked on first use.

    Raises:
        SourceError: It could not be downloaded, or its digest is another.
    """
    folder = _home() / "source"
    if not hold(folder):
        sdist = download(
            f"llama-cpp-python=={VERSION}", _home() / "sdist", sha256=SDIST_SHA256, sdist=True
        )
        with (
            atomic_folder(folder) as part,
            console.status(f"Unpacking {sdist.name}"),
            tarfile.open(sdist) as archive,
        ):
            archive.extractall(part, filter="data")
    return folder / f"llama_cpp_python-{VERSION}"


def native_libraries(target: Target, *, toolchain: str = "zig") -> Path:
    """Return the folder with the native libraries of `target`, built on first use.

    Args:
        target: What they run on; zig builds for any system, wherever it runs.
        toolchain: `zig` (no compiler needed, runs on old systems) or `system`.

    Raises:
        SourceError: A download failed.
        ToolError: The target cannot be built here, or the compiler failed.
    """
    if target != host_target() and toolchain != "zig":
        raise ToolError(
            f"The native libraries for {target.name} cannot be built on {host_target().name} "
            f"by the {toolchain} toolchain.",
            hint="Build the kit on such a machine and carry its .kit file here.",
        )
    product = _Product("libraries", _options(target, toolchain), "all", collect)
    return _built(product, target, toolchain)


def gpu_plugin(target: Target, name: str, *, toolchain: str = "zig") -> Path:
    """Return the folder with the library of a GPU plugin, built on first use.

    Args:
        target: What it runs on; only this machine's own can be built.
        name: `vulkan` or `cuda`.
        toolchain: The one of the other libraries; a plugin may need another.

    Raises:
        SourceError: A download failed.
        ToolError: A tool it needs is not on this system, or the compiler failed.
    """
    require_gpu_target(target)
    return _built(*_plugin_build(target, name, toolchain))


def find_gpu_plugin(target: Target, name: str, *, toolchain: str = "zig") -> Path | None:
    """Return the folder with the library of a GPU plugin if it was built before.

    Raises:
        ToolError: A tool it needs is not on this system.
    """
    folder = _folder(*_plugin_build(target, name, toolchain))
    return folder if hold(folder) else None


def expose_binding() -> None:
    """Let this process import the engine: the binding's Python files and this machine's libraries.

    Raises:
        SourceError: A download failed.
        ToolError: The libraries could not be built.
    """
    os.environ["LLAMA_CPP_LIB_PATH"] = str(native_libraries(host_target()))
    if str(source_folder()) not in sys.path:
        sys.path.append(str(source_folder()))


def llama_server() -> Path:
    """Return llama-server built from the same source, for comparison, built on first use.

    The system's compiler makes it, one static program for this very processor: what someone who
    builds llama.cpp on this machine gets.

    Raises:
        SourceError: A download failed.
        ToolError: There is no compiler, or it failed.
    """
    options = [*_options(host_target(), "system"), *SERVER_OPTIONS]
    product = _Product("server", options, SERVER, _collect_server)
    return _built(product, host_target(), "system") / SERVER


def _options(target: Target, toolchain: str) -> list[str]:
    stamp = [f"-DLLAMA_BUILD_COMMIT={LLAMA_CPP_COMMIT}", "-DLLAMA_BUILD_NUMBER=0"]
    return [*library_options(target, toolchain), *stamp]


def _home() -> Path:
    return user_cache_dir() / "llamacpp" / VERSION


@dataclass(frozen=True, slots=True)
class _Product:
    """Something built from the source.

    Args:
        name: What it is called, in messages and in the cache.
        options: What cmake is told, besides the toolchain.
        goal: What ninja is to build.
        collect: Copies the result from the build's `bin` into a folder.
        prepare: Lays out what cmake needs in the build's folder, and returns options for it.
        tools: Versions of tools besides the compiler.
    """

    name: str
    options: list[str]
    goal: str
    collect: Callable[[Path, Path], None]
    prepare: Callable[[Path], list[str]] = lambda _: []
    tools: tuple[str, ...] = ()


def _plugin_build(target: Target, name: str, toolchain: str) -> tuple[_Product, Target, str]:
    plugin = find_plugin(name)
    product = _Product(
        f"{name} plugin",
        [*_options(target, toolchain), *plugin.options],
        plugin.goal,
        _collect_library(plugin.goal),
        plugin.prepare,
        (plugin.tools,),
    )
    return product, target, plugin.toolchain or toolchain


def _folder(product: _Product, target: Target, toolchain_name: str) -> Path:
    key = hashlib.sha256("\n".join([SDIST_SHA256, *product.options, *product.tools]).encode())
    name = product.name.replace(" ", "-")
    return _home() / f"{name}-{target.name}-{toolchain_name}-{key.hexdigest()[:12]}"


def _built(product: _Product, target: Target, toolchain_name: str) -> Path:
    """Return the cached result of one build, building it first where it is missing."""
    folder = _folder(product, target, toolchain_name)

    def make(lock: int) -> None:
        build = folder.with_name(folder.name + ".build")
        toolchain = (
            zig_toolchain(target, build / "wrappers")
            if toolchain_name == "zig"
            else system_toolchain()
        )
        _compile(build, toolchain, product, lock)
        with atomic_folder(folder) as part:
            product.collect(build / "bin", part)
        shutil.rmtree(build)

    return made_once(folder, make)


def _compile(build: Path, toolchain: Toolchain, product: _Product, lock: int) -> None:
    """Configure and build into a folder that an interrupted run takes up again.

    The tools inherit the lock: where this process is killed, they may go on for a while. On Windows
    they cannot.
    """
    inherited = [] if os.name == "nt" else [lock]
    label = f"llama.cpp's {product.name}"
    source = source_folder() / "vendor" / "llama.cpp"
    cmake, ninja = cmake_and_ninja()
    # A git on PATH must not stamp its own idea of the commit into the libraries.
    environment = zig_environment() | {
        "GIT_DIR": str(build / "no-git"),
        "NINJA_STATUS": "[%f/%t] ",
        # A plugin's build configures a build of its own, for the tool that reads its shaders.
        "PATH": os.pathsep.join([str(ninja.parent), os.environ.get("PATH", os.defpath)]),
        **toolchain.compilers,
    }
    build.mkdir(parents=True, exist_ok=True)
    # cmake takes a backslash for the beginning of an escape.
    flags = f"-g0 -ffile-prefix-map={source.as_posix()}=llama.cpp"
    configure = [
        str(cmake), "-S", str(source), "-B", str(build), "-G", "Ninja",
        f"-DCMAKE_MAKE_PROGRAM={ninja.as_posix()}",
        f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}",
        *product.options, *product.prepare(build), *toolchain.cmake_options,
    ]  # fmt: skip
    log = build / "build.log"
    with console.status(f"Configuring {label}"), log.open("w", encoding="utf-8") as output:
        completed = subprocess.run(
            configure,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            check=False,
        )
    if completed.returncode:
        raise ToolError(f"Configuring {label} failed.", hint=f"See {log}.")
    with (
        log.open("a", encoding="utf-8") as output,
        subprocess.Popen(
            [str(ninja), "-C", str(build), product.goal],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            text=True,
        ) as process,
    ):
        _follow_ninja(process, output, log, label)


def _follow_ninja(process: subprocess.Popen[str], output: TextIO, log: Path, label: str) -> None:
    assert process.stdout is not None, "opened with a pipe"
    lines = _tee(process.stdout, output)
    steps = (match for line in lines if (match := _NINJA_STEP.match(line)))
    try:
        if first := next(steps, None):
            with console.progress(
                f"Building {label} (once, some minutes)", int(first[2]), unit_is_bytes=False
            ) as advance:
                advance(1)
                for _ in steps:
                    advance(1)
    except BaseException:
        process.terminate()
        raise
    if process.wait():
        raise ToolError(f"Building {label} failed.", hint=f"See {log}.")


def _tee(lines: Iterable[str], output: TextIO) -> Iterator[str]:
    for line in lines:
        output.write(line)
        yield line


def _collect_library(goal: str) -> Callable[[Path, Path], None]:
    def copy(built: Path, folder: Path) -> None:
        shutil.copy(built / f"lib{goal}.so", folder)

    return copy


def _collect_server(built: Path, folder: Path) -> None:
    shutil.copy(built / SERVER, folder)
