"""Files that tell a desktop or a system of a solofile."""

from pathlib import Path

from runtime.errors import ResourceError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file of this user's alone; where that fails, nothing is changed.

    Raises:
        ResourceError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch(0o600)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ResourceError(f"{path} could not be written: {error.strerror}.") from error


def remove(path: Path) -> bool:
    """Remove a file, and say whether it was there.

    Raises:
        ResourceError: It is there and cannot be removed.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ResourceError(f"{path} could not be removed: {error.strerror}.") from error
    return True
