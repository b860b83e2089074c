"""Resources for an executable (PE32+) that has none: a section of them behind its last one."""

import struct
from dataclasses import dataclass

from builder.errors import ToolError

SECTION = b".rsrc\0\0\0"

# Microsoft's "PE Format". Where the file says its header is; then, from there: number of sections,
# size of the optional header.
_HEADER_AT = struct.Struct("<60xI")
_FILE_HEADER = struct.Struct("<4s2xH12xH2x")
# Of the optional header, by offset: magic, alignments, size in memory, size of all headers, and the
# third of the directories.
_PE32_PLUS = 0x20B
_ALIGNMENTS_AT, _IMAGE_SIZE_AT, _HEADERS_SIZE_AT, _RESOURCES_AT = 32, 56, 60, 112 + 2 * 8
# name, size in memory, address, size in the file, offset in the file, 12 unused bytes, flags
_SECTION_HEADER = struct.Struct("<8s4I12xI")
_READABLE_DATA = 0x40000040

# "The .rsrc Section": characteristics, time, version, named and numbered entries; an entry's number
# and offset; a leaf's address, size, code page
_DIRECTORY = struct.Struct("<8x4x2H")
_ENTRY = struct.Struct("<2I")
_LEAF = struct.Struct("<4I")
_IS_DIRECTORY = 1 << 31


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its type and number, the language it is in, and its bytes."""

    kind: int
    number: int
    language: int
    data: bytes


def with_resources(program: bytes, resources: list[Resource]) -> bytes:
    """Return an executable with resources.

    Args:
        program: The executable's bytes.
        resources: At least one, sorted by type and number.

    Raises:
        ToolError: It is no such executable, has resources already, or no room for their header.
    """
    if program[:2] != b"MZ":
        raise _unusable("it is no program for Windows")
    start = _HEADER_AT.unpack_from(program)[0]
    _, num_sections, optional_size = _FILE_HEADER.unpack_from(program, start)
    optional = start + _FILE_HEADER.size
    table = optional + optional_size
    if struct.unpack_from("<H", program, optional)[0] != _PE32_PLUS:
        raise _unusable("it is not a 64-bit program")
    sections = [
        _SECTION_HEADER.unpack_from(program, table + number * 40) for number in range(num_sections)
    ]
    header_at = table + num_sections * 40
    headers_size = struct.unpack_from("<I", program, optional + _HEADERS_SIZE_AT)[0]
    if any(section[0] == SECTION for section in sections) or header_at + 40 > headers_size:
        raise _unusable("there is no place for resources in it")
    in_memory, in_file = struct.unpack_from("<2I", program, optional + _ALIGNMENTS_AT)
    address = max(_aligned(one[2] + max(one[1], one[3]), in_memory) for one in sections)
    offset = _aligned(len(program), in_file)
    body = _section(resources, address)
    raw_size = _aligned(len(body), in_file)
    result = bytearray(program.ljust(offset, b"\0") + body.ljust(raw_size, b"\0"))
    _SECTION_HEADER.pack_into(
        result, header_at, SECTION, len(body), address, raw_size, offset, _READABLE_DATA
    )
    struct.pack_into("<H", result, start + 6, num_sections + 1)
    size_in_memory = _aligned(address + len(body), in_memory)
    struct.pack_into("<I", result, optional + _IMAGE_SIZE_AT, size_in_memory)
    struct.pack_into("<2I", result, optional + _RESOURCES_AT, address, len(body))
    return bytes(result)


def _section(resources: list[Resource], address: int) -> bytes:
    """Lay out three levels of directories (type, number, language), leaves, and the data."""
    kinds = list(dict.fromkeys(one.kind for one in resources))
    of_kind = [[one for one in resources if one.kind == kind] for kind in kinds]
    numbers_at = _size(len(kinds))
    languages_at = numbers_at + sum(_size(len(group)) for group in of_kind)
    leaves_at = languages_at + len(resources) * _size(1)
    data_at = leaves_at + len(resources) * _LEAF.size
    top, numbers, languages, leaves, data = b"", b"", b"", b"", b""
    top = _DIRECTORY.pack(0, len(kinds))
    for kind, group in zip(kinds, of_kind, strict=True):
        top += _ENTRY.pack(kind, _IS_DIRECTORY | (numbers_at + len(numbers)))
        numbers += _DIRECTORY.pack(0, len(group))
        for one in group:
            numbers += _ENTRY.pack(one.number, _IS_DIRECTORY | (languages_at + len(languages)))
            languages += _DIRECTORY.pack(0, 1)
            languages += _ENTRY.pack(one.language, leaves_at + len(leaves))
            leaves += _LEAF.pack(address + data_at + len(data), len(one.data), 0, 0)
            data += one.data.ljust(_aligned(len(one.data), 8), b"\0")
    return top + numbers + languages + leaves + data


def _size(num_entries: int) -> int:
    return _DIRECTORY.size + num_entries * _ENTRY.size


def _aligned(value: int, alignment: int) -> int:
    return value + -value % alignment


def _unusable(why: str) -> ToolError:
    return ToolError(
        f"The launcher for Windows cannot be given an icon and version facts: {why}.",
        hint="Make the kit anew with `kit build`.",
    )
