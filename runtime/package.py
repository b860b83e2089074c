"""The layout of `runtime.pkg`: the frozen runtime as the launcher unpacks it on first start.

One fixed header, then a zstd stream of a tar, in frames of whole members behind an index of their
sizes: first one of the folders and links, then those of the files. `runtime/stub/archive.h` and
`frames.c` mirror it in C; the writer is on the builder's side.
"""

import struct
from dataclasses import dataclass
from typing import Self

from runtime.errors import DamagedFileError

ENTRY_NAME = "runtime.pkg"
MAGIC = b"SOLOPKG3"
# magic, SHA-256 of the compressed stream, its size, the sum of the unpacked files' sizes, and the
# lowest glibc, or macOS, the runtime needs: major and minor, 0 and 0 where that does not matter
HEADER = struct.Struct("<8s32sQQHH")
HEADER_BYTES = HEADER.size
# The index is a skippable frame, RFC 8878, section 3.1.2: magic and size; then each frame's size.
INDEX_MAGIC = 0x184D2A50
INDEX_HEADER = struct.Struct("<II")
INDEX_SIZE = "I"
_ANY_SYSTEM = (0, 0)


@dataclass(frozen=True, slots=True)
class PackageHeader:
    """What the header says of the stream behind it.

    Args:
        sha256: The digest of the compressed stream, 32 bytes.
        compressed_bytes: The size of the compressed stream.
        unpacked_bytes: The sum of the sizes of the files inside.
        lowest_system: The lowest version of glibc, or of macOS, that they run on; None where that
            does not matter.
    """

    sha256: bytes
    compressed_bytes: int
    unpacked_bytes: int
    lowest_system: tuple[int, int] | None = None

    def pack(self) -> bytes:
        """Return the header as it stands in the file."""
        return HEADER.pack(
            MAGIC,
            self.sha256,
            self.compressed_bytes,
            self.unpacked_bytes,
            *(self.lowest_system or _ANY_SYSTEM),
        )

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read the header from the first bytes of a package.

        Raises:
            DamagedFileError: It is not a package.
        """
        if len(data) < HEADER_BYTES or not data.startswith(MAGIC):
            raise DamagedFileError("This is not a runtime package.", hint="Build the kit again.")
        _, sha256, compressed_bytes, unpacked_bytes, *lowest = HEADER.unpack_from(data)
        lowest_system = (lowest[0], lowest[1])
        return cls(
            sha256,
            compressed_bytes,
            unpacked_bytes,
            None if lowest_system == _ANY_SYSTEM else lowest_system,
        )

    @property
    def folder_name(self) -> str:
        """The name of the folder the launcher unpacks it into."""
        return self.sha256.hex()[:32]
