"""The folders that a user's builders and solofiles share; none is created here."""

import os
import sys
from pathlib import Path


def user_cache_dir() -> Path:
    """Return solofile's cache folder.

    `SOLOFILE_CACHE` names it outright; otherwise it lies where the system keeps caches:
    `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`.
    """
    if override := os.environ.get("SOLOFILE_CACHE"):
        return Path(override)
    return _folder("XDG_CACHE_HOME", linux=".cache", macos="Library/Caches")


def user_state_dir() -> Path:
    """Return the folder for what a solofile remembers from one start to the next.

    `$XDG_STATE_HOME` or `~/.local/state`, `~/Library/Application Support`, `%LOCALAPPDATA%`.
    """
    return _folder("XDG_STATE_HOME", linux=".local/state", macos="Library/Application Support")


def user_config_dir() -> Path:
    """Return the folder for what a user has decided: the keys they sign with and trust.

    `$XDG_CONFIG_HOME` or `~/.config`, `~/Library/Application Support`, `%LOCALAPPDATA%`.
    """
    return _folder("XDG_CONFIG_HOME", linux=".config", macos="Library/Application Support")


def _folder(variable: str, *, linux: str, macos: str) -> Path:
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / macos
    else:
        base = Path(os.environ.get(variable) or Path.home() / linux)
    return base / "solofile"
