"""Kits that pip installed: where their wheels lay them, and what the wheels are called."""

import sys
from pathlib import Path

# Beside the packages, with a folder for each kit; no module of Python's.
FOLDER = "solofile_kits"


def distribution_name(kit: str) -> str:
    """Return what the package index calls a kit, as `linux-x86_64` or `linux-x86_64-vulkan`."""
    return f"solofile-kit-{kit.replace('_', '-')}"


def installed_kits() -> list[Path]:
    """Return the folders of installed kits where this builder's packages are, in Python's order."""
    places = [Path(place) / FOLDER for place in dict.fromkeys(sys.path)]
    return [folder for place in places for folder in sorted(place.glob("*"))]
