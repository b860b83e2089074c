"""Vendored folders with files of the test's own."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from builder.vendor.collect import Work, collect
from builder.vendor.folder import VARIABLE


def write_vendored(folder: Path, parts: Mapping[str, Mapping[str, bytes]]) -> Path:
    """Vendor some files, by their names and those of their parts."""
    collect(folder, [Work(name, name, "", _writing(files)) for name, files in parts.items()])
    return folder


def go_offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the builder of this process work from a vendored folder."""
    monkeypatch.setenv(VARIABLE, str(folder))


def _writing(files: Mapping[str, bytes]) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)

    return fill
