"""Building something from llama.cpp's source: cmake and ninja, once, into the cache."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from builder import console
from builder.cache.items import made_once
from builder.errors import ToolError
from builder.files import atomic_folder
from builder.native.toolchain import (
    Toolchain,
    cmake_and_ninja,
    system_toolchain,
    zig_environment,
    zig_toolchain,
)
from builder.targets import Target
from builder.vendor.product import unpack_vendored

_NINJA_STEP = re.compile(r"^\[(\d+)/(\d+)\]")


@dataclass(frozen=True, slots=True)
class Source:
    """A source distribution that holds llama.cpp.

    Args:
        home: The folder of what is made of it.
        sha256: Its digest, in hex.
        unpack: Returns the folder it is unpacked in.
    """

    home: Path
    sha256: str
    unpack: Callable[[], Path]


@dataclass(frozen=True, slots=True)
class Product:
    """Something built from the source.

    Args:
        source: What it is built from.
        name: What it is called, in messages and in the cache.
        options: What cmake is told, besides the toolchain.
        goal: What ninja is to build.
        collect: Copies the result from the build's `bin` into a folder.
        prepare: Lays out what cmake needs in the build's folder, and returns options for it.
        tools: Versions of tools besides the compiler.
    """

    source: Source
    name: str
    options: list[str]
    goal: str
    collect: Callable[[Path, Path], None]
    prepare: Callable[[Path], list[str]] = lambda _: []
    tools: tuple[str, ...] = ()


def product_folder(product: Product, target: Target, toolchain_name: str) -> Path:
    """Return where a product lies once it is built; everything that decides it is in the name."""
    parts = [product.source.sha256, *product.options, *product.tools]
    key = hashlib.sha256("\n".join(parts).encode())
    name = product.name.replace(" ", "-")
    return product.source.home / f"{name}-{target.name}-{toolchain_name}-{key.hexdigest()[:12]}"


def build_product(product: Product, target: Target, toolchain_name: str) -> Path:
    """Return the cached result of one build, building it first where it is missing.

    Args:
        product: What is built.
        target: What it runs on.
        toolchain_name: `zig` or `system`.

    Raises:
        SourceError: A download failed.
        ToolError: A tool is missing, or it failed.
    """
    folder = product_folder(product, target, toolchain_name)

    def make(lock: int) -> None:
        if unpack_vendored(folder):
            return
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


def _compile(build: Path, toolchain: Toolchain, product: Product, lock: int) -> None:
    """Configure and build into a folder that an interrupted run takes up again.

    The tools inherit the lock: where this process is killed, they may go on for a while. On Windows
    they cannot.
    """
    inherited = [] if os.name == "nt" else [lock]
    label = f"llama.cpp's {product.name}"
    source = product.source.unpack() / "vendor" / "llama.cpp"
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
