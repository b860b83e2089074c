"""GPU plugins: ggml's backends for graphics cards, each one library beside the others.

Only the plugin is compiled, from the same source and with the same options as the rest. The tools
that Vulkan's needs besides a compiler come from the system, since no wheel has them.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builder.errors import ToolError
from builder.native.cuda.plugin import cuda_options, cuda_tools, prepare_cuda
from builder.native.cuda.toolkit import find_toolkit
from builder.targets import Target, host_target

# Where systems keep headers, and what libraries are linked by.
_HOMES = ("/usr", "/usr/local")
_LIBRARY_FOLDERS = ("lib/*-linux-gnu*", "lib64", "lib")

# The first headers that know VK_EXT_layer_settings, which ggml's source uses.
_LAYER_SETTINGS_SINCE = 272
_LAYER_SETTINGS = Path(__file__).with_name("vulkan_layer_settings.hpp")
_VULKAN_HINT = (
    "Install glslc and the headers of Vulkan and SPIR-V; on Debian and Ubuntu: "
    "apt install glslc libvulkan-dev spirv-headers."
)


@dataclass(frozen=True, slots=True)
class GpuPlugin:
    """One of ggml's backends for GPUs.

    Args:
        name: What users call it.
        goal: What ninja is to build; the library carries the name, too.
        options: What cmake is told to build it.
        tools: The versions of the system's tools, which decide what it can do.
        prepare: Lays out what cmake is to find, in the build's folder, and returns where.
        toolchain: The one that compiles it; empty where any does.
    """

    name: str
    goal: str
    options: list[str]
    tools: str
    prepare: Callable[[Path], list[str]]
    toolchain: str = ""


def require_gpu_target(target: Target) -> None:
    """Check that plugins can be built for `target`: they are for this machine's own alone.

    Raises:
        ToolError: They cannot.
    """
    if target != host_target():
        raise ToolError(
            f"GPU plugins for {target.name} cannot be built on {host_target().name}.",
            hint="Build the kit on such a machine and carry its .kit file here.",
        )


def find_plugin(name: str) -> GpuPlugin:
    """Return the plugin `name`, with the tools that this system has for it.

    Raises:
        ToolError: There is no plugin of that name, or a tool for it is missing.
    """
    if name not in _PLUGINS:
        raise ToolError(
            f"{name} is no GPU plugin.", hint=f"There are {' and '.join(sorted(_PLUGINS))}."
        )
    return _PLUGINS[name]()


def _vulkan() -> GpuPlugin:
    glslc = shutil.which("glslc")
    headers, spirv = _header("vulkan/vulkan.hpp"), _header("spirv/unified1/spirv.hpp")
    library = _library("libvulkan.so") or _library("libvulkan.so.1")
    found = {
        "glslc": glslc,
        "Vulkan's headers": headers,
        "SPIR-V's headers": spirv,
        "libvulkan": library,
    }
    if missing := [what for what, path in found.items() if not path]:
        raise ToolError(
            f"The Vulkan plugin cannot be built without {' and '.join(missing)}.",
            hint=_VULKAN_HINT,
        )
    assert glslc, "it was found"
    assert headers, "they were found"
    assert spirv, "they were found"
    version = _header_version(headers / "vulkan_core.h")

    def prepare(build: Path) -> list[str]:
        include = _vulkan_headers(build / "vulkan", headers, spirv, version)
        return [
            f"-DVulkan_INCLUDE_DIR={include}",
            f"-DVulkan_LIBRARY={library}",
            f"-DVulkan_GLSLC_EXECUTABLE={glslc}",
            f"-DSPIRV-Headers_DIR={include}",
        ]

    shader_compiler = subprocess.run(
        [glslc, "--version"], capture_output=True, text=True, check=True
    ).stdout
    return GpuPlugin(
        "vulkan", "ggml-vulkan", ["-DGGML_VULKAN=ON"], f"{version} {shader_compiler}", prepare
    )


def _vulkan_headers(include: Path, headers: Path, spirv: Path, version: int) -> Path:
    """Make a folder with these headers alone, completed where they are too old.

    The system's own folder has headers of its C library, too, which are not those of the target.
    """
    shutil.rmtree(include, ignore_errors=True)
    include.mkdir(parents=True)
    (include / "spirv").symlink_to(spirv.parent)
    if (video := headers.with_name("vk_video")).is_dir():
        (include / "vk_video").symlink_to(video)
    (include / "vulkan").mkdir()
    for header in headers.iterdir():
        (include / "vulkan" / header.name).symlink_to(header)
    if version < _LAYER_SETTINGS_SINCE:
        main = include / "vulkan" / "vulkan.hpp"
        main.unlink()
        main.write_text(
            f'#pragma once\n#include "{headers / main.name}"\n#include "{_LAYER_SETTINGS}"\n',
            encoding="utf-8",
        )
    # cmake asks for the package, and the source for its headers alone.
    (include / "SPIRV-HeadersConfig.cmake").touch()
    return include


def _cuda() -> GpuPlugin:
    toolkit = find_toolkit()
    return GpuPlugin(
        "cuda",
        "ggml-cuda",
        cuda_options(),
        cuda_tools(toolkit),
        prepare_cuda(toolkit),
        toolkit.toolchain,
    )


_PLUGINS = {"cuda": _cuda, "vulkan": _vulkan}


def _header(name: str) -> Path | None:
    """Return the folder of a header, or None."""
    paths = (home / "include" / name for home in _homes())
    return next((path.parent for path in paths if path.is_file()), None)


def _library(name: str) -> Path | None:
    paths = (
        path
        for home in _homes()
        for folder in _LIBRARY_FOLDERS
        for path in home.glob(f"{folder}/{name}")
    )
    return next(paths, None)


def _homes() -> list[Path]:
    """Return the folders to look in: Vulkan's own kit, where it is set up, has newer files."""
    sdk = os.environ.get("VULKAN_SDK")
    return [Path(home) for home in ((sdk, *_HOMES) if sdk else _HOMES)]


def _header_version(core: Path) -> int:
    found = re.search(r"#define VK_HEADER_VERSION (\d+)", core.read_text(encoding="utf-8"))
    assert found, "every such header has its version"
    return int(found[1])
