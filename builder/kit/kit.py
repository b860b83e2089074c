"""Kits: the frozen runtime of one target, and what its `kit.json` says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from builder.kit.components import Component
from builder.kit.installed import FOLDER as INSTALLED_FOLDER
from runtime.errors import DamagedFileError, UnsupportedError
from runtime.package import ENTRY_NAME
from runtime.user_folders import user_cache_dir

FORMAT_VERSION = 1

LAUNCHER_NAME = "launcher"
INFO_NAME = "kit.json"


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
