"""Building kits of the present sources, into the cache folder."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from builder import console
from builder.cache.items import hold, made_once, remove
from builder.cache.layout import scratch_path
from builder.errors import ToolError
from builder.files import atomic_folder, scratch_folder, sha256_of
from builder.kit.compiled_in import compiled_in
from builder.kit.components import find_components
from builder.kit.elf import lowest_glibc
from builder.kit.freeze import freeze
from builder.kit.key import kit_key
from builder.kit.kit import INFO_NAME, LAUNCHER_NAME, Kit, KitInfo, kits_folder, load_kit
from builder.kit.macho import lowest_macos
from builder.kit.package import write_package
from builder.kit.python import Python, own_python, require_shared_python
from builder.kit.root import made_root, make_root
from builder.kit.stub import compile_stub
from builder.native import llamacpp
from builder.native.gpu import require_gpu_target
from builder.native.gpu_libraries import gpu_libraries
from builder.native.start_library import start_libraries
from builder.targets import Target, host_target
from runtime import __version__
from runtime.package import ENTRY_NAME

# Kits of earlier sources kept for each target, so that going back and forth does not build anew.
MAX_BUILT_KITS = 5


def build_kit(target: Target, *, toolchain: str = "zig", gpu: Sequence[str] = ()) -> Kit:
    """Return the kit of the present sources for `target`, built on first use.

    Args:
        target: What it runs on.
        toolchain: What compiles llama.cpp: `zig` or `system`.
        gpu: The GPU plugins to put in.

    Raises:
        SourceError: A download failed.
        ToolError: The target cannot be built here, or a tool failed.
    """
    gpu = sorted(set(gpu))
    if gpu:
        require_gpu_target(target)
    python = _python(target)
    folder = _built_folder(target, toolchain, python, gpu)
    if not hold(folder):
        plugins = gpu_libraries(target, gpu, toolchain=toolchain)
        libraries = llamacpp.native_libraries(target, toolchain=toolchain)
        parts = _Parts(toolchain, libraries, compile_stub(target), python, gpu, plugins)

        def make(_lock: int) -> None:
            with atomic_folder(folder) as part:
                _build(target, parts, part)

        made_once(folder, make)
        _prune(folder.parent, target)
    return load_kit(folder)


def made_python(target: Target) -> Python | None:
    """Return the Python that is frozen for `target`, if it is at hand."""
    if target != host_target():
        root = made_root(target)
        return root.python() if root else None
    return own_python()


def _python(target: Target) -> Python:
    if target != host_target():
        return make_root(target).python()
    require_shared_python()
    return own_python()


def built_here(target: Target, toolchain: str, gpu: Sequence[str]) -> Path | None:
    """Return the folder of the kit of the present sources, if it is there."""
    python = made_python(target)
    if python is None:
        return None
    try:
        folder = _built_folder(target, toolchain, python, gpu)
    except ToolError:
        # Without the tools of its GPU plugins nobody knows which one it would be.
        return None
    return folder if hold(folder) else None


def _built_folder(target: Target, toolchain: str, python: Python, gpu: Sequence[str]) -> Path:
    key = kit_key(target, toolchain, python, gpu)
    return kits_folder() / "built" / f"{target.name}-{key[:16]}"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a kit is made of.

    Args:
        toolchain: What compiled the libraries: `zig` or `system`.
        libraries: The folder with llama.cpp's libraries.
        launcher: The program a solofile begins with.
        python: What is frozen.
        gpu: The names of its GPU plugins.
        plugins: Their libraries.
    """

    toolchain: str
    libraries: Path
    launcher: Path
    python: Python
    gpu: list[str]
    plugins: list[Path]


def _build(target: Target, parts: _Parts, folder: Path) -> None:
    shutil.copy(parts.launcher, folder / LAUNCHER_NAME)
    with scratch_folder(scratch_path("kit")) as frozen:
        own = start_libraries(target, toolchain=parts.toolchain)
        freeze(frozen, parts.libraries, parts.python, own=own, plugins=parts.plugins)
        glibc = lowest_glibc(frozen)
        macos = lowest_macos(frozen)
        others = compiled_in(target, parts.toolchain, parts.python.version, parts.gpu)
        components = find_components(frozen, others)
        with console.status("Compressing the runtime"):
            write_package(
                frozen,
                folder / ENTRY_NAME,
                lowest_system=(glibc.major, glibc.minor) if glibc else macos,
            )
    info = KitInfo(
        target=target.name,
        solofile=__version__,
        python=parts.python.version,
        llama_cpp_python=llamacpp.VERSION,
        llama_cpp=llamacpp.LLAMA_CPP_VERSION,
        llama_cpp_commit=llamacpp.LLAMA_CPP_COMMIT,
        glibc=str(glibc or ""),
        macos=".".join(map(str, macos or ())),
        gpu=parts.gpu,
        launcher_size=(folder / LAUNCHER_NAME).stat().st_size,
        launcher_sha256=sha256_of(folder / LAUNCHER_NAME),
        runtime_size=(folder / ENTRY_NAME).stat().st_size,
        runtime_sha256=sha256_of(folder / ENTRY_NAME),
        components=components,
    )
    (folder / INFO_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(info)) + b"\n")


def _prune(built: Path, target: Target) -> None:
    folders = [path.parent for path in built.glob(f"{target.name}-*/{INFO_NAME}")]
    folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[MAX_BUILT_KITS:]:
        remove(folder)
