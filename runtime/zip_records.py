"""The ZIP records a container is made of: local headers, central directory, end records.

Only the standard library is used here. The records are those of PKWARE's APPNOTE.TXT 6.3; every
entry is stored, its time is fixed, and ZIP64 fields appear only where a size asks for them.
"""

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runtime.errors import DamagedFileError

COPY_AGAIN = "Copy or download the file again."

# APPNOTE 4.3.7: signature, version needed, flags, method, time, date, crc-32, compressed size,
# size, name length, extra length.
_LOCAL = struct.Struct("<4s5H3L2H")
# APPNOTE 4.3.12: signature, version made by, version needed, flags, method, time, date, crc-32,
# compressed size, size, name, extra and comment length, disk, internal and external attributes,
# header offset.
_CENTRAL = struct.Struct("<4s6H3L5H2L")
# APPNOTE 4.3.14: signature, size of the rest, versions, disks, entries twice, directory size
# and offset.
_END64 = struct.Struct("<4sQ2H2L4Q")
# APPNOTE 4.3.15: signature, disk, offset of the record above, disks.
_LOCATOR64 = struct.Struct("<4sLQL")
# APPNOTE 4.3.16: signature, disks, entries twice, directory size and offset, comment length.
_END = struct.Struct("<4s4H2LH")

# What every container ends with.
END_BYTES = _END.size

_LOCAL_MAGIC, _CENTRAL_MAGIC, _END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64_MAGIC, _LOCATOR64_MAGIC = b"PK\x06\x06", b"PK\x06\x07"
_ZIP64_EXTRA_ID = 1
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_UTF8_FLAG = 1 << 11
_VERSION_NEEDED, _VERSION_ZIP64, _MADE_BY_UNIX = 20, 45, 3 << 8
_DATE_1980_01_01 = 0x21
_REGULAR_FILE_0644 = 0o100644 << 16
# How the records of all entries begin, up to the date.
_ANY_CENTRAL_RECORD = re.compile(
    rb"PK\x01\x02[\x14\x2d]\x03[\x14\x2d]\x00\x00\x08\x00\x00\x00\x00\x21\x00"
)
# Far more than the directory and the end records of a solofile take.
_SEARCHED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored member of a container.

    Args:
        name: Its path inside the archive, with forward slashes.
        header_offset: Where its local header begins, in bytes from the file's start.
        size: Its length in bytes.
        crc32: The checksum every zip tool looks at.
    """

    name: str
    header_offset: int
    size: int
    crc32: int

    @property
    def offset(self) -> int:
        """Where its first byte of data lies, in bytes from the file's start."""
        return self.header_offset + len(self.local_header())

    @property
    def end(self) -> int:
        """The offset just behind its last byte."""
        return self.offset + self.size

    def local_header(self) -> bytes:
        """Return the record that stands before the data."""
        name = self.name.encode()
        extra = _zip64_extra([self.size, self.size] if self.size >= _MAX32 else [])
        size = min(self.size, _MAX32)
        return (
            _LOCAL.pack(
                _LOCAL_MAGIC, _VERSION_ZIP64 if extra else _VERSION_NEEDED, _UTF8_FLAG, 0, 0,
                _DATE_1980_01_01, self.crc32, size, size, len(name), len(extra),
            )
            + name
            + extra
        )  # fmt: skip

    def central_record(self) -> bytes:
        """Return the record that stands in the central directory."""
        name = self.name.encode()
        wide = [self.size, self.size] if self.size >= _MAX32 else []
        if self.header_offset >= _MAX32:
            wide.append(self.header_offset)
        extra = _zip64_extra(wide)
        size = min(self.size, _MAX32)
        version = _VERSION_ZIP64 if extra else _VERSION_NEEDED
        return (
            _CENTRAL.pack(
                _CENTRAL_MAGIC, _MADE_BY_UNIX | version, version, _UTF8_FLAG, 0, 0,
                _DATE_1980_01_01, self.crc32, size, size, len(name), len(extra), 0, 0, 0,
                _REGULAR_FILE_0644, min(self.header_offset, _MAX32),
            )
            + name
            + extra
        )  # fmt: skip


def ends_with_directory(path: Path) -> bool:
    """Say whether a file ends the way every zip without a comment does."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END.size))
        return file.read(4) == _END_MAGIC


def has_directory_records(path: Path) -> bool:
    """Say whether records of a container's central directory stand near a file's end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _SEARCHED_BYTES))
        return _ANY_CENTRAL_RECORD.search(file.read()) is not None


def _zip64_extra(values: list[int]) -> bytes:
    if not values:
        return b""
    return struct.pack(f"<2H{len(values)}Q", _ZIP64_EXTRA_ID, 8 * len(values), *values)


def directory_and_end(entries: list[Entry], offset: int) -> bytes:
    """Return everything that follows the last entry, for a directory that starts at `offset`."""
    directory = b"".join(entry.central_record() for entry in entries)
    count, size = len(entries), len(directory)
    end = b""
    if offset >= _MAX32:
        end = _END64.pack(
            _END64_MAGIC, _END64.size - 12, _MADE_BY_UNIX | _VERSION_ZIP64, _VERSION_ZIP64,
            0, 0, count, count, size, offset,
        ) + _LOCATOR64.pack(_LOCATOR64_MAGIC, 0, offset + size, 1)  # fmt: skip
    end += _END.pack(_END_MAGIC, 0, 0, count, count, size, min(offset, _MAX32), 0)
    return directory + end


def read_directory(file: IO[bytes], path: Path) -> list[Entry]:
    """Return the entries that the central directory at the end of `file` lists.

    Raises:
        DamagedFileError: There is none, or it makes no sense; the sentence names `path`.
    """
    cut_short = DamagedFileError(
        f"{path} is not a solofile, or it is cut short or damaged.", hint=COPY_AGAIN
    )
    file_size = file.seek(0, os.SEEK_END)
    if file_size < _END.size:
        raise cut_short
    file.seek(file_size - _END.size)
    signature, _, _, _, count, size, offset, comment_length = _END.unpack(file.read(_END.size))
    if signature != _END_MAGIC or comment_length:
        raise cut_short
    directory_end = file_size - _END.size
    if offset == _MAX32:
        directory_end -= _END64.size + _LOCATOR64.size
        file.seek(max(0, directory_end))
        record = file.read(_END64.size)
        if len(record) < _END64.size or record[:4] != _END64_MAGIC:
            raise cut_short
        *_, count, size, offset = _END64.unpack(record)
    if offset + size != directory_end:
        raise cut_short
    file.seek(offset)
    entries = _parse_directory(file.read(size), count)
    if entries is None or any(entry.end > offset for entry in entries):
        raise cut_short
    return entries


def _parse_directory(directory: bytes, count: int) -> list[Entry] | None:
    """Return the entries of a central directory, or None where its records make no sense."""
    entries = []
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size > len(directory):
            return None
        (
            signature, _, _, _, method, _, _, crc32, _, size,
            name_length, extra_length, comment_length, _, _, _, header_offset,
        ) = _CENTRAL.unpack_from(directory, position)  # fmt: skip
        if signature != _CENTRAL_MAGIC or method:
            return None
        name_start = position + _CENTRAL.size
        extra_start = name_start + name_length
        position = extra_start + extra_length + comment_length
        if position > len(directory):
            return None
        extra = directory[extra_start : extra_start + extra_length]
        num_wide = max(0, len(extra) - 4) // 8
        wide = iter(struct.unpack_from(f"<{num_wide}Q", extra, 4) if num_wide else ())
        try:
            if size == _MAX32:
                size = next(wide)
                next(wide)
            if header_offset == _MAX32:
                header_offset = next(wide)
            name = directory[name_start:extra_start].decode()
        except (StopIteration, UnicodeDecodeError):
            return None
        entries.append(Entry(name, header_offset, size, crc32))
    return entries
