"""A folder as one tar: the same files give the same bytes."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from builder.files import atomic_file

# 1980-01-01, the time that everything inside solofiles has.
_TIME = 315_532_800


class _ToldReader:
    """Tells how much of a file was read."""

    def __init__(self, file: IO[bytes], advance: Callable[[int], None]) -> None:
        self._file = file
        self._advance = advance

    def read(self, size: int = -1) -> bytes:
        """Return the file's next bytes."""
        data = self._file.read(size)
        self._advance(len(data))
        return data


def write_tar(folder: Path, path: Path, advance: Callable[[int], None]) -> None:
    """Write a folder into a tar, below its name; what may be run there may be run here.

    Args:
        folder: The folder.
        path: The tar.
        advance: Told the bytes of each chunk copied.

    Raises:
        DiskError: It could not be written.
    """
    with (
        atomic_file(path) as target,
        tarfile.open(mode="w|", fileobj=target, format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in [folder, *sorted(folder.rglob("*"))]:
            info = archive.gettarinfo(member, arcname=member.relative_to(folder.parent).as_posix())
            info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
            info.mtime, info.uid, info.gid, info.uname, info.gname = _TIME, 0, 0, "", ""
            if info.isdir():
                archive.addfile(info)
                continue
            with member.open("rb") as file:
                archive.addfile(info, _ToldReader(file, advance))
