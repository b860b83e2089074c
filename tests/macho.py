"""What a Mach-O file says of itself, read by macholib, and its signature checked as macOS would."""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from macholib import mach_o
from macholib.MachO import MachO

# Structures of xnu's osfmk/kern/cs_blobs.h, big-endian.
_SUPER_BLOB = struct.Struct(">III")
_INDEX = struct.Struct(">II")
# magic, length, version, flags, hashOffset, identOffset, nSpecialSlots, nCodeSlots, codeLimit,
# hashSize, hashType, platform, pageSize, spare2
_CODE_DIRECTORY = struct.Struct(">IIIIIIIIIBBBBI")
EMBEDDED_SIGNATURE, CODE_DIRECTORY, SHA256 = 0xFADE0CC0, 0xFADE0C02, 2
AD_HOC = 0x2


@dataclass(frozen=True)
class Signature:
    """What a code directory says; `wrong_pages` are those whose digest is not that of the file."""

    offset: int
    end: int
    flags: int
    identifier: bytes
    code_limit: int
    num_pages: int
    wrong_pages: list[int]
    special_slots: dict[int, bytes]


class MachOFile:
    """A file of one architecture."""

    def __init__(self, path: Path) -> None:
        self._path = path
        (self._header,) = MachO(str(path)).headers

    @property
    def kind(self) -> str:
        """Return `execute` or `dylib`."""
        return str(self._header.filetype)

    @property
    def processor(self) -> str:
        """Return what it runs on."""
        return str(mach_o.CPU_TYPE_NAMES[self._header.header.cputype])

    @property
    def lowest_macos(self) -> tuple[int, int]:
        """Return the oldest macOS it says it runs on."""
        (build,) = self._commands(mach_o.LC_BUILD_VERSION)
        assert build.platform == 1, "macOS"
        return build.minos >> 16, build.minos >> 8 & 0xFF

    @property
    def segments(self) -> list[tuple[str, int, int]]:
        """Return names, first bytes and ends in the file."""
        return [
            (one.segname.rstrip(b"\0").decode(), one.fileoff, one.fileoff + one.filesize)
            for one in self._commands(mach_o.LC_SEGMENT_64)
        ]

    @property
    def libraries(self) -> list[str]:
        """Return what the loader opens with it."""
        return self._names(mach_o.LC_LOAD_DYLIB)

    @property
    def install_name(self) -> str:
        """Return what others load a library by."""
        (name,) = self._names(mach_o.LC_ID_DYLIB)
        return name

    @property
    def search_paths(self) -> list[str]:
        """Return where the loader looks for @rpath."""
        return self._names(mach_o.LC_RPATH)

    def signature(self) -> Signature:
        """Read the signature that is embedded and hash every page again."""
        (command,) = self._commands(mach_o.LC_CODE_SIGNATURE)
        return read_signature(self._path.read_bytes(), command.dataoff, command.datasize)

    def _commands(self, kind: int) -> list[Any]:
        return [command for load, command, _ in self._header.commands if load.cmd == kind]

    def _names(self, kind: int) -> list[str]:
        return [
            bytes(rest).rstrip(b"\0").decode()
            for load, _, rest in self._header.commands
            if load.cmd == kind
        ]


def read_signature(data: bytes, offset: int, size: int) -> Signature:
    """Return what the signature at an offset says of the bytes before it."""
    magic, length, num_blobs = _SUPER_BLOB.unpack_from(data, offset)
    assert magic == EMBEDDED_SIGNATURE
    assert length <= size
    indexes = [
        _INDEX.unpack_from(data, offset + _SUPER_BLOB.size + number * _INDEX.size)
        for number in range(num_blobs)
    ]
    at = offset + dict(indexes)[0]
    (magic, length, _, flags, hashes, name, num_special, num_pages, limit, digest_bytes, kind, _,
     page_log, _) = _CODE_DIRECTORY.unpack_from(data, at)  # fmt: skip
    assert (magic, kind, digest_bytes) == (CODE_DIRECTORY, SHA256, 32)
    assert at + length <= offset + size
    page = 1 << page_log
    assert num_pages == -(-limit // page)

    def slot(number: int) -> bytes:
        start = at + hashes + number * digest_bytes
        return data[start : start + digest_bytes]

    wrong = [
        number
        for number in range(num_pages)
        # The last page ends where the code does, without padding.
        if hashlib.sha256(data[number * page : min((number + 1) * page, limit)]).digest()
        != slot(number)
    ]
    return Signature(
        offset=offset,
        end=offset + size,
        flags=flags,
        identifier=data[at + name : data.index(b"\0", at + name)],
        code_limit=limit,
        num_pages=num_pages,
        wrong_pages=wrong,
        special_slots={number: slot(-number) for number in range(1, num_special + 1)},
    )
