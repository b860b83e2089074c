"""Kits in a vendored folder."""

from collections.abc import Sequence

from builder.kit.file import import_kit, read_kit_file
from builder.kit.kit import imported_folder
from builder.targets import Target
from builder.vendor.folder import KITS, offline_folder


def import_vendored(target: Target, gpu: Sequence[str]) -> None:
    """Take the kit for a target, if there is one, out of the folder that the builder works from.

    Args:
        target: What it runs on.
        gpu: The GPU plugins it must have: these and no others.

    Raises:
        DamagedFileError: It is damaged.
        DiskError: The cache is full or not writable.
    """
    offline = offline_folder()
    name = "-".join([target.name, *sorted(set(gpu))])
    path = offline.file(KITS, kit_name(name)) if offline else None
    if path is None:
        return
    info = read_kit_file(path)
    if not (imported_folder() / f"{info.target}-{info.digest}").is_dir():
        import_kit(path)


def kit_name(name: str) -> str:
    """Return what the kit called `name`, as `linux-x86_64`, is called in a vendored folder."""
    return f"{name}.kit"
