"""The one pin of llama.cpp, its unpacked source, and the native libraries built from it.

llama-cpp-python's source distribution holds llama.cpp whole: sources, converter and tools.
Its version decides llama.cpp everywhere: libraries, binding, benchmarks.
"""

import os
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

from builder import console
from builder.cache.items import hold
from builder.errors import ToolError
from builder.files import atomic_folder
from builder.native.gpu import find_plugin, require_gpu_target
from builder.native.libraries import collect, library_options
from builder.native.product import Product, Source, build_product, product_folder
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


def source_folder() -> Path:
    """Return the unpacked source distribution, downloaded and checked on first use.

    Raises:
        SourceError: It could not be downloaded, or its digest is another.
    """
    folder = _home() / "source"
    if not hold(folder):
        sdist = source_archive()
        with (
            atomic_folder(folder) as part,
            console.status(f"Unpacking {sdist.name}"),
            tarfile.open(sdist) as archive,
        ):
            archive.extractall(part, filter="data")
    return folder / f"llama_cpp_python-{VERSION}"


def source_archive() -> Path:
    """Return the source distribution, downloaded and checked on first use.

    Raises:
        SourceError: It could not be downloaded, or its digest is another.
    """
    requirement = f"llama-cpp-python=={VERSION}"
    return download(requirement, _home() / "sdist", sha256=SDIST_SHA256, sdist=True)


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
    product = Product(_source(), "libraries", _options(target, toolchain), "all", collect)
    return build_product(product, target, toolchain)


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
    return build_product(*_plugin_build(target, name, toolchain))


def find_gpu_plugin(target: Target, name: str, *, toolchain: str = "zig") -> Path | None:
    """Return the folder with the library of a GPU plugin if it was built before.

    Raises:
        ToolError: A tool it needs is not on this system.
    """
    folder = product_folder(*_plugin_build(target, name, toolchain))
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
    product = Product(_source(), "server", options, SERVER, _collect_server)
    return build_product(product, host_target(), "system") / SERVER


def _options(target: Target, toolchain: str) -> list[str]:
    stamp = [f"-DLLAMA_BUILD_COMMIT={LLAMA_CPP_COMMIT}", "-DLLAMA_BUILD_NUMBER=0"]
    return [*library_options(target, toolchain), *stamp]


def _home() -> Path:
    return user_cache_dir() / "llamacpp" / VERSION


def _source() -> Source:
    return Source(_home(), SDIST_SHA256, source_folder)


def _plugin_build(target: Target, name: str, toolchain: str) -> tuple[Product, Target, str]:
    plugin = find_plugin(name)
    product = Product(
        _source(),
        f"{name} plugin",
        [*_options(target, toolchain), *plugin.options],
        plugin.goal,
        _collect_library(plugin.goal),
        plugin.prepare,
        (plugin.tools,),
    )
    return product, target, plugin.toolchain or toolchain


def _collect_library(goal: str) -> Callable[[Path, Path], None]:
    def copy(built: Path, folder: Path) -> None:
        shutil.copy(built / f"lib{goal}.so", folder)

    return copy


def _collect_server(built: Path, folder: Path) -> None:
    shutil.copy(built / SERVER, folder)
