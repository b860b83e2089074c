"""A zip of an app that keeps what may be run: the same app gives the same bytes."""

import shutil
import zipfile
from pathlib import Path

from builder.files import atomic_file
from runtime.container import CHUNK_BYTES

_UNIX = 3
_DATE = (1980, 1, 1, 0, 0, 0)


def write_zip(app: Path, path: Path) -> None:
    """Write a folder's files into a zip, below the folder's name; weights do not shrink.

    Raises:
        DiskError: It could not be written.
    """
    files = sorted(file for file in app.rglob("*") if file.is_file())
    with atomic_file(path) as target, zipfile.ZipFile(target, "w") as archive:
        for file in files:
            name = file.relative_to(app.parent).as_posix()
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = _UNIX
            info.external_attr = (0o100000 | file.stat().st_mode & 0o777) << 16
            info.file_size = file.stat().st_size
            with file.open("rb") as source, archive.open(info, "w") as entry:
                shutil.copyfileobj(source, entry, CHUNK_BYTES)
