"""Where a solofile is written."""

import re
from collections.abc import Collection
from pathlib import Path

from builder.errors import DiskError
from builder.files import explained_disk_errors, require_writable
from builder.targets import Target
from runtime.errors import UsageError

DEFAULT_FOLDER = Path("dist")
_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f/\\:*?"<>|]')


def require_folder(output: Path | None, *, is_folder: bool) -> None:
    """Find out that nothing can be written before anything long is begun.

    Args:
        output: A path, or a folder; None for the default one.
        is_folder: Whether it is a folder, and made if it is not there.

    Raises:
        DiskError: Nothing can be written there.
    """
    path = output or DEFAULT_FOLDER
    if output is None or is_folder:
        if path.is_file():
            raise DiskError(f"{path} is a file, and not a folder.", hint="Choose another place.")
        with explained_disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
    require_writable(path if path.is_dir() else path.parent)


def file_stem(name: str) -> str:
    """Return a name without what file systems do not take."""
    return _NOT_IN_FILE_NAMES.sub("-", name)


def output_path(output: Path | None, stem: str, target: Target, *, tells_target: bool) -> Path:
    """Return the file's path.

    Args:
        output: The path, or a folder that is there; None for the default one.
        stem: What it is called in a folder.
        target: What it is to run on.
        tells_target: Whether its name ends in the target's.
    """
    suffix = target.executable_suffix
    ending = f"-{target.name}" if tells_target else ""
    path = output or DEFAULT_FOLDER
    if path.is_dir():
        return path / f"{file_stem(stem)}{ending}{suffix}"
    return path.with_name(f"{path.name.removesuffix(suffix)}{ending}{suffix}")


def require_free(path: Path, taken: Collection[Path]) -> None:
    """Check that a path is not one of a file that must stay as it is.

    Raises:
        UsageError: It is.
    """
    if path in taken:
        raise UsageError(
            f"Two models would both be written to {path}.",
            hint="Give them names of their own, with `name` or `output`.",
        )
