"""llama.cpp's shared libraries: what they are built with for a target, and their names there."""

import re
import shutil
from pathlib import Path

from builder.targets import Target

_OPTIONS = [
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DGGML_BACKEND_DL=ON",
    "-DGGML_CPU_ALL_VARIANTS=ON",
    "-DGGML_NATIVE=OFF",
    "-DGGML_OPENMP=OFF",
    "-DGGML_RPC=ON",
    "-DGGML_CCACHE=OFF",
    "-DLLAMA_BUILD_COMMON=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_TOOLS=OFF",
    "-DLLAMA_BUILD_SERVER=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_MTMD=ON",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON",
]
# How libraries find those beside them.
_RPATHS = {"linux": "$ORIGIN", "macos": "@loader_path"}
# zig carries no frameworks of Apple's.
_WITHOUT_FRAMEWORKS = ["-DGGML_METAL=OFF", "-DGGML_ACCELERATE=OFF", "-DGGML_BLAS=OFF"]

# libllama.so.0.5.0, libllama.0.5.0.dylib, and plugins: libggml-cpu-haswell.so
_LINUX_NAME = re.compile(r"(?P<stem>.+)\.so(\.(?P<major>\d+)[\d.]*)?")
_MACOS_NAME = re.compile(r"(?P<stem>.+?)\.(?P<major>\d+)[\d.]*\.dylib")


def library_options(target: Target, toolchain: str) -> list[str]:
    """Return what cmake is told to build the libraries for `target` with `zig` or `system`."""
    system = target.name.partition("-")[0]
    options = [*_OPTIONS, f"-DCMAKE_INSTALL_RPATH={_RPATHS.get(system, '')}"]
    return options + (_WITHOUT_FRAMEWORKS if (system, toolchain) == ("macos", "zig") else [])


def collect(built: Path, folder: Path) -> None:
    """Copy the libraries, each real file under the name others load, with the plain name linked."""
    for path in sorted(built.iterdir()):
        if path.is_symlink():
            continue
        if match := _MACOS_NAME.fullmatch(path.name):
            stem, suffix = match["stem"], ".dylib"
            name = f"{stem}.{match['major']}.dylib"
        elif match := _LINUX_NAME.fullmatch(path.name):
            stem, suffix = match["stem"], ".so"
            name = f"{stem}.so.{match['major']}" if match["major"] else path.name
        elif path.suffix == ".dll":
            stem, suffix, name = path.stem, path.suffix, path.name
        else:
            continue
        shutil.copy(path, folder / name)
        if name != f"{stem}{suffix}":
            (folder / f"{stem}{suffix}").symlink_to(name)
