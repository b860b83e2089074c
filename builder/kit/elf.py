"""What Linux programs and libraries (64-bit little-endian ELF) ask for, and cutting what is unused.

Only program headers are read: what the system's loader needs is all there, section headers are
for linkers and debuggers.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import DamagedFileError
from runtime.glibc import GlibcVersion

MAGIC = b"\x7fELF\x02\x01"

# Structures of the System V ABI, "Object Files" and "Program Loading".
# e_ident, type, machine, version, entry, phoff, shoff, flags, ehsize, phentsize, phnum,
# shentsize, shnum, shstrndx
_FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION_HEADERS_OFFSET_AT = 40
_SECTION_HEADERS_COUNT_AT = 60
# type, flags, offset, vaddr, paddr, filesz, memsz, align
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_DYNAMIC_ENTRY = struct.Struct("<QQ")
# Linux Standard Base, "Symbol Versioning": version, cnt, file, aux, next
_VERSION_NEEDED = struct.Struct("<HHIII")
# hash, flags, other, name, next
_VERSION_NAME = struct.Struct("<IHHII")

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_STRTAB, _DT_VERNEED, _DT_VERNEEDNUM = 5, 0x6FFFFFFE, 0x6FFFFFFF

_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size_bytes: int


def is_elf(path: Path) -> bool:
    """Tell whether this is a 64-bit little-endian ELF file."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def glibc_needed(path: Path) -> GlibcVersion | None:
    """Return the newest glibc version an ELF file asks for, or None where it asks for none.

    Raises:
        DamagedFileError: The file's tables point outside of it.
    """
    data = path.read_bytes()
    try:
        return max(_glibc_versions(data), default=None)
    except (struct.error, EOFError, KeyError, StopIteration) as error:
        raise DamagedFileError(f"{path} is not a sound ELF file.") from error


def lowest_glibc(folder: Path) -> GlibcVersion | None:
    """Return the oldest glibc on which every ELF file below a folder can be loaded.

    Raises:
        DamagedFileError: The tables of a file point outside of it.
    """
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    needed = [glibc_needed(path) for path in files if is_elf(path)]
    return max((version for version in needed if version), default=None)


def cut_unloaded(path: Path) -> None:
    """Cut what is never loaded off the end of a library: debug information, symbols, sections."""
    data = path.read_bytes()
    end = max(segment.offset + segment.size_bytes for segment in _segments(data))
    with path.open("r+b") as file:
        file.truncate(end)
        file.seek(_SECTION_HEADERS_OFFSET_AT)
        file.write(bytes(8))
        file.seek(_SECTION_HEADERS_COUNT_AT)
        file.write(bytes(4))


def _segments(data: bytes) -> list[_Segment]:
    header = _FILE_HEADER.unpack_from(data)
    first, size, count = header[5], header[9], header[10]
    segments = []
    for index in range(count):
        kind, _, offset, address, _, size_bytes, _, _ = _PROGRAM_HEADER.unpack_from(
            data, first + index * size
        )
        if offset + size_bytes > len(data):
            raise EOFError("a segment ends behind the file")
        segments.append(_Segment(kind, offset, address, size_bytes))
    return segments


def _glibc_versions(data: bytes) -> Iterator[GlibcVersion]:
    segments = _segments(data)
    dynamic = {
        tag: value
        for segment in segments
        if segment.kind == _PT_DYNAMIC
        for tag, value in _DYNAMIC_ENTRY.iter_unpack(
            data[segment.offset : segment.offset + segment.size_bytes]
        )
    }
    if _DT_VERNEED not in dynamic:
        return
    strings = _offset_of(segments, dynamic[_DT_STRTAB])
    at = _offset_of(segments, dynamic[_DT_VERNEED])
    for _ in range(dynamic[_DT_VERNEEDNUM]):
        _, num_names, _, names, following = _VERSION_NEEDED.unpack_from(data, at)
        for name in _version_names(data, at + names, num_names):
            if match := _GLIBC.match(data, strings + name):
                yield GlibcVersion(int(match[1]), int(match[2]))
        if not following:
            return
        at += following


def _version_names(data: bytes, at: int, count: int) -> Iterator[int]:
    for _ in range(count):
        _, _, _, name, following = _VERSION_NAME.unpack_from(data, at)
        yield name
        if not following:
            return
        at += following


def _offset_of(segments: list[_Segment], address: int) -> int:
    return next(
        address - segment.address + segment.offset
        for segment in segments
        if segment.kind == _PT_LOAD
        and segment.address <= address < segment.address + segment.size_bytes
    )
