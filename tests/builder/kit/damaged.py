"""Damaged files of kits."""

from collections.abc import Iterable
from pathlib import Path

from builder.kit.file import import_kit
from builder.kit.kit import Kit
from runtime.errors import DamagedFileError, UnsupportedError


def import_damaged(path: Path, versions: Iterable[bytes], kit: Kit) -> None:
    """Import versions of a kit's file; whatever is not refused has the kit's own runtime."""
    for version in versions:
        path.write_bytes(version)
        try:
            imported = import_kit(path)
        except (DamagedFileError, UnsupportedError):
            continue
        assert imported.runtime_pkg.read_bytes() == kit.runtime_pkg.read_bytes()
