"""What of a container belongs to no entry: padding, headers, central directory, end records.

All of that follows from the entries, so each byte must be as the writer would have written it.
"""

import zlib
from collections.abc import Collection

from runtime.container import ALIGNMENT, LAUNCHER_ROOM, Container
from runtime.zip_records import Entry, directory_and_end

DIRECTORY = "the central directory"


def layout_faults(container: Container, launcher_size: int, names: Collection[str]) -> list[str]:
    """Return the parts that are not as they should be, by what people call them.

    Args:
        container: The container.
        launcher_size: Where the launcher ends and the archive begins, in bytes.
        names: What its entries should be called.
    """
    faults: list[str] = []
    position = launcher_size
    for entry in container.entries.values():
        fault = header_fault(container, entry, names)
        if fault == DIRECTORY or entry.header_offset < position:
            # Where anything lies is not known any more.
            return [*faults, DIRECTORY]
        if not _is_padding(container, position, entry):
            faults.append(f"the padding before {entry.name}")
        faults += [fault] if fault else []
        position = entry.end
    expected = directory_and_end(list(container.entries.values()), position)
    found = b"".join(container.range(position, container.path.stat().st_size))
    return faults if found == expected else [*faults, DIRECTORY]


def header_fault(container: Container, entry: Entry, names: Collection[str]) -> str:
    """Return which of an entry's two records is wrong, or nothing where they agree.

    What the central directory says is believed if the bytes there have the checksum it names.

    Args:
        container: The container.
        entry: The entry as the central directory has it.
        names: What entries should be called.
    """
    header = b"".join(container.range(entry.header_offset, entry.offset))
    if header == entry.local_header():
        return ""
    crc32 = 0
    for chunk in container.range(entry.offset, entry.end):
        crc32 = zlib.crc32(chunk, crc32)
    is_believed = crc32 == entry.crc32 and entry.name in names
    return f"the header of {entry.name}" if is_believed else DIRECTORY


def _is_padding(container: Container, position: int, entry: Entry) -> bool:
    """Say whether the bytes before an entry are zeros, and no more than align it."""
    size = entry.header_offset - position
    if size and entry.offset % ALIGNMENT:
        return False
    if size >= ALIGNMENT and entry.offset != LAUNCHER_ROOM:
        return False
    chunks = container.range(position, entry.header_offset)
    return all(chunk.count(0) == len(chunk) for chunk in chunks)
