"""Repositories of the hub in a vendored folder: its cache without links, which no stick keeps."""

import shutil
from pathlib import Path

from builder import console
from builder.files import atomic_path
from builder.vendor.folder import MODELS, offline_folder

HUB = "hub"


def bring_repository(home: Path) -> None:
    """Copy what the folder that the builder works from holds of a repository into the hub's cache.

    Args:
        home: The repository's folder in that cache.

    Raises:
        DamagedFileError: A file is damaged.
        DiskError: The cache is full or not writable.
    """
    offline = offline_folder()
    start = f"{HUB}/{home.name}/"
    for name in offline.names(MODELS) if offline else []:
        copy = home / name.removeprefix(start)
        source = offline.file(MODELS, name) if offline and name.startswith(start) else None
        if source is None or copy.exists():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        with console.status(f"Copying {copy.name}"), atomic_path(copy) as part:
            shutil.copyfile(source, part)
