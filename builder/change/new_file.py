"""A planned file written anew: bytes of other files are shared or copied by the system."""

import struct
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from builder.change.plan import Piece
from builder.files import explained_disk_errors, synced_file
from runtime.container import RangeCopier
from runtime.errors import DamagedFileError

if sys.platform == "linux":
    import fcntl

# ioctl_ficlonerange(2): the source's descriptor, its offset and length, the target's offset. A
# length is of whole blocks, of which this is the largest; 0 means all of it.
_FICLONERANGE = 0x4020940D
_RANGE = struct.Struct("=q3Q")
_BLOCK_BYTES = 65536


def can_clone(path: Path) -> bool:
    """Say whether the file system gives another file in the same folder the same blocks.

    Args:
        path: A file.

    Raises:
        DiskError: Nothing can be written there.
    """
    if sys.platform != "linux":
        return False
    with explained_disk_errors(path), tempfile.TemporaryFile(dir=path.parent) as clone:
        try:
            with path.open("rb") as file:
                length = _BLOCK_BYTES if path.stat().st_size > _BLOCK_BYTES else 0
                fcntl.ioctl(clone, _FICLONERANGE, _RANGE.pack(file.fileno(), 0, length, 0))
        except OSError:
            return False
    return True


def write_pieces(
    pieces: Sequence[Piece], path: Path, *, advance: Callable[[int], None] = lambda _: None
) -> None:
    """Write a file out of pieces; zeros become holes, and once it returns all is on the disk.

    What lies in files of the same file system is copied by the system, which shares the blocks
    where it can.

    Args:
        pieces: All of the file, in its order and without gaps.
        path: A file nobody else uses yet.
        advance: Told the bytes of each chunk.

    Raises:
        DamagedFileError: A source became shorter meanwhile.
        OSError: It cannot be written.
    """
    with synced_file(path) as file:
        for piece in pieces:
            file.seek(piece.offset)
            if isinstance(piece.source, bytes):
                if not piece.is_blank:
                    file.write(piece.source)
                advance(piece.size)
                continue
            with piece.source.path.open("rb") as source:
                copier = RangeCopier(source, piece.source.offset, file)
                copier.write_range(piece.size, advance)
            if file.tell() != piece.end:
                raise DamagedFileError(
                    f"{piece.source} became shorter while it was being copied.",
                    hint="Run this again once nothing writes to it.",
                )
        file.flush()
        file.truncate(pieces[-1].end)
