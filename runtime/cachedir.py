"""The one per-user cache folder, shared by the builder and every solofile."""

import os
import sys
from pathlib import Path


def user_cache_dir() -> Path:
    """Return solofile's cache folder (not created).

    `SOLOFILE_CACHE` names it outright; otherwise it lies where the system keeps caches:
    `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`.
    """
    if override := os.environ.get("SOLOFILE_CACHE"):
        return Path(override)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "solofile"
