"""Archives shaped like llamafiles: something that starts, then a zip with aligned, stored files."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

# What every APE file begins with.
LAUNCHER = b"MZqFpD='\n" + b"\0" * 5000


def write_llamafile(
    path: Path, files: Mapping[str, Path], arguments: str | None = None, *, compressed: bool = False
) -> Path:
    """Write a llamafile with files by their names inside, and return its path."""
    path.write_bytes(LAUNCHER)
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "a") as archive:
        if arguments is not None:
            archive.writestr(".args", arguments, zipfile.ZIP_DEFLATED)
        for name, file in files.items():
            archive.write(file, name, method)
    path.chmod(0o755)
    return path
