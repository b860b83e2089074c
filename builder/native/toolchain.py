"""The compilers that build native code: zig from its wheel, or the system's own."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.cache.items import hold
from builder.errors import ToolError
from builder.pypi import install_tools
from builder.targets import Target, host_target
from runtime.user_folders import user_cache_dir

ZIG = "ziglang==0.17.1"
CMAKE = "cmake==4.4.4"
NINJA = "ninja==1.13.2"

# cmake's names for systems.
_CMAKE_SYSTEMS = {"linux": "Linux", "macos": "Darwin", "windows": "Windows"}

# A library made for MinGW exports all it has, and with zig what every library has of its own, too.
_EXPORTS = r"""__asm__(".section .drectve,\"yn\"\n.ascii \" -exclude-symbols:atexit\"\n");
"""

# zig takes no ARM architecture as clang does, only a processor with features by LLVM's names:
# -march=armv8.2-a+dotprod+fp16 is -mcpu=generic+v8_2a+dotprod+fullfp16, and +nosve is -sve.
# It links no bundles, in which macOS keeps plugins; dlopen takes libraries as well.
_WRAPPER = r"""#!/bin/sh
for word; do
  shift
  case "$word" in -march=armv*) word=$(printf %s "$word" | sed \
    -e 's/^-march=armv\([0-9]\)[.]\([0-9]\)-a/-mcpu=generic+v\1_\2a/' \
    -e 's/^-march=armv\([0-9]\)-a/-mcpu=generic+v\1a/' \
    -e 's/+fp16/+fullfp16/' -e 's/+no/-/g');;
  -bundle) word=-dynamiclib;;
  esac
  set -- "$@" "$word"
done
exec "{compiler}" {arguments} "$@"
"""

_WINDOWS_WRAPPER = '@"{compiler}" {arguments} %*\n'


def zig() -> Path:
    """Return the zig compiler, installed on first use.

    Raises:
        SourceError: Its wheel could not be installed.
    """
    return install_tools(_folder_name(ZIG), [ZIG]) / "ziglang" / _executable("zig")


def zig_environment() -> dict[str, str]:
    """Return this process's environment with zig's caches inside ours."""
    cache = user_cache_dir() / "tools" / "zig-cache"
    cache.mkdir(parents=True, exist_ok=True)
    hold(cache)
    return os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}


def compile_program(command: Sequence[str], what: str, where: str) -> None:
    """Run a compiler that makes one program or library.

    Args:
        command: The compiler and all it is told.
        what: What it makes, at the beginning of a sentence.
        where: Where its sources are, at the end of one.

    Raises:
        ToolError: It failed.
    """
    completed = subprocess.run(
        command, env=zig_environment(), capture_output=True, text=True, check=False
    )
    if completed.returncode:
        raise ToolError(
            f"{what} did not compile: {completed.stderr.strip()}",
            hint=f"See the first error above; {where}.",
        )


def cmake_and_ninja() -> tuple[Path, Path]:
    """Return the cmake and ninja programs, installed on first use.

    Raises:
        SourceError: Their wheels could not be installed.
    """
    cmake = install_tools(_folder_name(CMAKE), [CMAKE]) / "cmake" / "data" / "bin"
    ninja = install_tools(_folder_name(NINJA), [NINJA]) / "bin"
    return cmake / _executable("cmake"), ninja / _executable("ninja")


# By which builds are told of compilers that no option names.
_VARIABLES = {"cc": "CC", "c++": "CXX"}


@dataclass(frozen=True, slots=True)
class Toolchain:
    """The programs that compile C and C++ for one target.

    Args:
        name: `zig` or `system`; part of the cache key of what it builds.
        cmake_options: What cmake must be told to use it.
        compilers: The variables that tell the same to what a build configures by itself.
    """

    name: str
    cmake_options: list[str]
    compilers: dict[str, str]


def zig_toolchain(target: Target, wrappers: Path) -> Toolchain:
    """Write compiler wrappers for `target` into a folder and return the toolchain they make.

    Debug information and local paths are kept out of what they compile.

    Raises:
        SourceError: The zig wheel could not be installed.
    """
    compiler = zig()
    wrappers.mkdir(parents=True, exist_ok=True)
    options = ["-DCMAKE_MODULE_LINKER_FLAGS=-s", "-DCMAKE_EXE_LINKER_FLAGS=-s"]
    shared_flags = "-s"
    if target != host_target():
        system, _, processor = target.name.partition("-")
        options.append(f"-DCMAKE_SYSTEM_NAME={_CMAKE_SYSTEMS[system]}")
        options.append(f"-DCMAKE_SYSTEM_PROCESSOR={processor}")
        if system == "macos":
            # cmake insists on it, and uses it where libraries are installed, which ours are not.
            options.append("-DCMAKE_INSTALL_NAME_TOOL=install_name_tool")
    compilers = {}
    tools = {"cc": "C_COMPILER", "c++": "CXX_COMPILER", "ar": "AR", "ranlib": "RANLIB"}
    if target.name.startswith("windows-"):
        # cmake insists on it, although no resource is compiled.
        tools["rc"] = "RC_COMPILER"
        exports = wrappers / "exports.c"
        exports.write_text(_EXPORTS, encoding="utf-8")
        shared_flags += f" {exports.as_posix()}"
    options.append(f"-DCMAKE_SHARED_LINKER_FLAGS={shared_flags}")
    for tool, variable in tools.items():
        arguments = f"{tool} -target {target.zig_triple}" if tool.startswith("c") else tool
        is_windows = os.name == "nt"
        wrapper = wrappers / (f"{tool}.cmd" if is_windows else tool)
        text = _WINDOWS_WRAPPER if is_windows else _WRAPPER
        wrapper.write_text(text.format(compiler=compiler, arguments=arguments), encoding="utf-8")
        wrapper.chmod(0o755)
        options.append(f"-DCMAKE_{variable}={wrapper.as_posix()}")
        if tool in _VARIABLES:
            compilers[_VARIABLES[tool]] = str(wrapper)
    return Toolchain("zig", options, compilers)


def system_toolchain() -> Toolchain:
    """Return the compiler cmake finds by itself.

    Raises:
        ToolError: There is none on PATH.
    """
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl")):
        raise ToolError(
            "No C++ compiler is on PATH.", hint="Leave out --toolchain system to use zig instead."
        )
    return Toolchain("system", [], {})


def _folder_name(requirement: str) -> str:
    return requirement.replace("==", "-")


def _executable(name: str) -> str:
    return f"{name}.exe" if os.name == "nt" else name
