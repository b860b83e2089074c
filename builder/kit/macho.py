"""What programs and libraries for macOS (64-bit little-endian Mach-O) ask for."""

import struct
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import DamagedFileError

MAGIC = b"\xcf\xfa\xed\xfe"

# Structures of mach-o/loader.h.
# magic, cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags, reserved
_HEADER = struct.Struct("<4siiIIIII")
_COMMAND = struct.Struct("<II")
_LC_VERSION_MIN_MACOSX, _LC_BUILD_VERSION = 0x24, 0x32
_VERSION_MIN = struct.Struct("<8xI")
# platform, minos
_BUILD_VERSION = struct.Struct("<8xII")
_PLATFORM_MACOS = 1


def lowest_macos(folder: Path) -> tuple[int, int] | None:
    """Return the oldest macOS that every Mach-O file below a folder was made for.

    Returns:
        Its major and minor version; None where there is no such file.

    Raises:
        DamagedFileError: The tables of a file point outside of it.
    """
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return max((version for path in files for version in _versions(path)), default=None)


def _versions(path: Path) -> Iterator[tuple[int, int]]:
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return
    data = path.read_bytes()
    try:
        *_, num_commands, _, _, _ = _HEADER.unpack_from(data)
        at = _HEADER.size
        for _ in range(num_commands):
            command, size = _COMMAND.unpack_from(data, at)
            if command == _LC_VERSION_MIN_MACOSX:
                yield _version(*_VERSION_MIN.unpack_from(data, at))
            if command == _LC_BUILD_VERSION:
                platform, lowest = _BUILD_VERSION.unpack_from(data, at)
                if platform == _PLATFORM_MACOS:
                    yield _version(lowest)
            at += size
    except struct.error as error:
        raise DamagedFileError(f"{path} is not a sound Mach-O file.") from error


def _version(packed: int) -> tuple[int, int]:
    return packed >> 16, packed >> 8 & 0xFF
