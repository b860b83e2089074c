"""Kits that pip installed: where their wheels lay them, and what the wheels are called."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from builder.targets import TARGETS

# Beside the packages, with a folder for each target; no module of Python's.
FOLDER = "solofile_kits"


def distribution_name(target: str) -> str:
    """Return what the package index calls the kit of a target."""
    return f"solofile-kit-{target.replace('_', '-')}"


def installed_folders() -> Iterator[Path]:
    """Yield the folder of each kit that is installed where this builder runs."""
    for target in TARGETS:
        try:
            installed = distribution(distribution_name(target))
        except PackageNotFoundError:
            continue
        yield Path(str(installed.locate_file(FOLDER))) / target
