"""Kits: the frozen runtime of one target, built here, imported into the cache, or installed."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from builder import console
from builder.cache.items import hold, made_once, remove
from builder.cache.layout import scratch_path
from builder.errors import ToolError
from builder.files import atomic_folder, scratch_folder, sha256_of
from builder.kit.compiled_in import compiled_in
from builder.kit.components import Component, find_components
from builder.kit.elf import lowest_glibc
from builder.kit.freeze import freeze
from builder.kit.installed import FOLDER as INSTALLED_FOLDER
from builder.kit.installed import distribution_name, installed_kits
from builder.kit.key import kit_key
from builder.kit.macho import lowest_macos
from builder.kit.package import write_package
from builder.kit.python import Python, own_python, require_shared_python
from builder.kit.root import has_root, made_root, make_root
from builder.kit.stub import compile_stub
from builder.native import llamacpp
from builder.native.gpu import require_gpu_target
from builder.native.gpu_libraries import gpu_libraries
from builder.targets import Target, host_target
from runtime import __version__
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.package import ENTRY_NAME
from runtime.user_folders import user_cache_dir

FORMAT_VERSION = 1

LAUNCHER_NAME = "launcher"
INFO_NAME = "kit.json"

# Kits of earlier sources kept for each target, so that going back and forth does not build anew.
MAX_BUILT_KITS = 5


class KitInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What `kit.json` says of a kit.

    Args:
        format_version: Of the kit's layout; a newer one is refused.
        target: The system it runs on.
        solofile: The version of the runtime in it.
        python: The version of the Python in it.
        llama_cpp_python: The version of the binding, which pins llama.cpp.
        llama_cpp: The version of llama.cpp.
        llama_cpp_commit: The commit of llama.cpp.
        glibc: The lowest glibc it runs on; empty where that does not matter.
        macos: The lowest macOS it runs on; empty on other systems.
        gpu: The GPU plugins in it, by name, in alphabetical order.
        launcher_size: In bytes.
        launcher_sha256: In hex.
        runtime_size: Of `runtime.pkg`, in bytes.
        runtime_sha256: Of `runtime.pkg`, in hex.
        components: What it is made of; empty in kits of before these were listed.
    """

    format_version: int = FORMAT_VERSION
    target: str
    solofile: str
    python: str
    llama_cpp_python: str
    llama_cpp: str
    llama_cpp_commit: str
    glibc: str
    macos: str = ""
    launcher_size: int
    launcher_sha256: str
    runtime_size: int
    runtime_sha256: str
    gpu: list[str] = []
    components: list[Component] = []

    @property
    def name(self) -> str:
        """What tells it from kits of other targets and with other plugins."""
        return "-".join([self.target, *self.gpu])

    @property
    def digest(self) -> str:
        """A short name of exactly this kit: the same for the same bytes."""
        return f"{self.launcher_sha256[:8]}{self.runtime_sha256[:8]}"


KitOrigin = Literal["built", "imported", "installed"]


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit that is there.

    Args:
        folder: Holds the launcher, `runtime.pkg` and `kit.json`.
        info: What `kit.json` says.
        origin: How it came here: made by this builder, in a file, or by pip.
    """

    folder: Path
    info: KitInfo
    origin: KitOrigin

    @property
    def launcher(self) -> Path:
        """The program a solofile begins with."""
        return self.folder / LAUNCHER_NAME

    @property
    def runtime_pkg(self) -> Path:
        """The package the launcher unpacks."""
        return self.folder / ENTRY_NAME


def ensure_kit(target: Target, *, toolchain: str = "zig", gpu: Sequence[str] = ()) -> Kit:
    """Return a kit for `target`: the one there is, or for this machine's own one built now.

    Args:
        target: What it runs on.
        toolchain: What compiles one that is not there yet: `zig` or `system`.
        gpu: The GPU plugins it must have: these and no others.

    Raises:
        SourceError: A download failed.
        ToolError: There is none and it cannot be built here, or building it failed.
    """
    if kit := find_kit(target, toolchain=toolchain, gpu=gpu):
        return kit
    if target == host_target():
        return build_kit(target, toolchain=toolchain, gpu=gpu)
    plugins = "".join(f" --gpu {name}" for name in gpu)
    can_build = has_root(target) and not gpu
    here = f"Run `kit build --target {target.name}`, or get one: r" if can_build else "R"
    wheel = "" if gpu else f", or install {distribution_name(target.name)}=={__version__}"
    raise ToolError(
        f"There is no kit for {target.name}{plugins} here.",
        hint=f"{here}un `kit build{plugins} -o FILE` on a {target.name} machine and "
        f"`kit import FILE` here{wheel}.",
    )


def find_kit(target: Target, *, toolchain: str = "zig", gpu: Sequence[str] = ()) -> Kit | None:
    """Return the kit for `target` that is used now; None where there is none yet.

    One built here of the present sources comes first. Of the others, those of this version come
    before those of another, then imported ones before installed ones, then the newest first.
    """
    if folder := _built_here(target, toolchain, gpu):
        return load_kit(folder)
    others = [
        kit
        for kit in list_kits()
        if kit.origin != "built"
        and kit.info.target == target.name
        and kit.info.gpu == sorted(set(gpu))
    ]
    others.sort(key=lambda kit: kit.info.solofile != __version__)
    return next((kit for kit in others if hold(kit.folder)), None)


def list_kits() -> list[Kit]:
    """Return every kit that is there, by target: those of the cache folder, the newest first."""
    folders = [path.parent for path in kits_folder().glob(f"*/*/{INFO_NAME}")]
    folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    folders += [folder for folder in installed_kits() if (folder / INFO_NAME).is_file()]
    kits = map(load_kit, folders)
    return sorted(kits, key=lambda kit: kit.info.target)


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


def load_kit(folder: Path) -> Kit:
    """Return the kit in a folder.

    Raises:
        DamagedFileError: Its `kit.json` is not one.
        UnsupportedError: Its layout is newer than this version knows.
    """
    path = folder / INFO_NAME
    return Kit(folder, decode_info(path.read_bytes(), path), _origin(folder))


def _origin(folder: Path) -> KitOrigin:
    if folder.parent.name == INSTALLED_FOLDER:
        return "installed"
    return "built" if folder.parent.name == "built" else "imported"


def decode_info(data: bytes, path: Path) -> KitInfo:
    """Return what `kit.json`, read from `path`, says.

    Raises:
        DamagedFileError: It is not a kit's.
        UnsupportedError: Its layout is newer than this version knows.
    """
    try:
        version = msgspec.json.decode(data, type=_FormatVersion).format_version
        if version > FORMAT_VERSION:
            raise UnsupportedError(
                f"{path} is a kit of format {version}, this version reads {FORMAT_VERSION}.",
                hint="Update solofile on this machine.",
            )
        return msgspec.json.decode(data, type=KitInfo)
    except msgspec.DecodeError as error:
        raise DamagedFileError(f"{path} is not a kit.", hint="Export it anew.") from error


class _FormatVersion(msgspec.Struct):
    format_version: int


def kits_folder() -> Path:
    """Return the folder of all kits."""
    return user_cache_dir() / "kits"


def imported_folder() -> Path:
    """Return the folder of the kits carried here."""
    return kits_folder() / "imported"


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


def _built_here(target: Target, toolchain: str, gpu: Sequence[str]) -> Path | None:
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
        freeze(frozen, parts.libraries, parts.python, parts.plugins)
        glibc = lowest_glibc(frozen)
        macos = lowest_macos(frozen)
        others = compiled_in(target, parts.toolchain, parts.python.version)
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
