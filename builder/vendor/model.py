"""Models in a vendored folder: wheels as they are, and files as the hub's own cache has them."""

import shutil
from pathlib import Path

from builder.cache.layout import scratch_path
from builder.files import scratch_folder
from builder.pypi import download
from builder.sources.hub import HubModel
from builder.sources.hub_download import repository_folder
from builder.sources.parse import parse_source
from builder.sources.wheel import Wheel
from builder.vendor.hub import HUB
from runtime.errors import UsageError


def model_label(source: str) -> str:
    """Return what exactly a source means: the commit of a repository, the version of a wheel.

    Raises:
        SourceError: It is not there or unreachable.
        UsageError: It is a file that can be copied as it is.
    """
    return _parsed(source).resolve().label


def write_model(source: str, folder: Path) -> None:
    """Fetch a model, and write it into a folder.

    Args:
        source: Where it comes from, as on the command line.
        folder: The models of a vendored folder.

    Raises:
        DiskError: The disk is full.
        SourceError: It is not there or unreachable.
        UsageError: It is a file that can be copied as it is.
    """
    found = _parsed(source)
    if isinstance(found, Wheel):
        with scratch_folder(scratch_path("vendor-model")) as scratch:
            shutil.copy(download(found.requirement, scratch / "wheel"), folder)
    else:
        home = repository_folder(found.repository)
        for path in found.cached_files():
            copy = folder / HUB / home.name / path.relative_to(home)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)


def _parsed(source: str) -> HubModel | Wheel:
    found = parse_source(source)
    if isinstance(found, HubModel | Wheel):
        return found
    raise UsageError(
        f"{source} is no model of the hub or the package index.",
        hint="Copy its files, and build from them there.",
    )
