"""Cutting files into parts."""

import hashlib
from pathlib import Path

import pytest

from builder.bundle.volumes import MEDIA, parse_volume_size, split_file
from runtime.errors import UsageError


@pytest.mark.parametrize(
    ("size", "part_bytes", "names"),
    [
        (10, 4, ["001", "002", "003"]),
        (8, 4, ["001", "002"]),
        (3, 4, ["001"]),
        (1000, 1, ["0001", "0999", "1000"]),
    ],
)
def test_parts(tmp_path: Path, size: int, part_bytes: int, names: list[str]) -> None:
    """Together they are the file, each has its digest, and names sort as they follow."""
    path = tmp_path / "model.weights"
    data = bytes(number % 251 for number in range(size))
    path.write_bytes(data)
    told: list[int] = []
    split = split_file(path, part_bytes, told.append)
    assert sum(told) == split.size == size
    assert split.sha256 == hashlib.sha256(data).hexdigest()
    assert not path.exists()
    assert {f"model.weights.{name}" for name in names} <= {part.name for part in split.parts}
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == [part.name for part in split.parts]
    assert b"".join(path.read_bytes() for path in paths) == data
    for path, part in zip(paths, split.parts, strict=True):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == part.sha256


def test_fat32() -> None:
    """A part is whole MiB, and the largest that the medium takes."""
    fat32 = MEDIA["fat32"]
    assert fat32.max_file_bytes == (1 << 32) - 1
    assert fat32.part_bytes % (1 << 20) == 0
    assert 0 <= fat32.max_file_bytes - fat32.part_bytes < 1 << 20


def test_sizes() -> None:
    """They are read as other sizes are."""
    assert parse_volume_size("700MB").part_bytes == 700_000_000
    assert parse_volume_size("1MiB").max_file_bytes == 1 << 20
    for text in ("", "much", "0", "this", "1000kB"):
        with pytest.raises(UsageError, match=r"is no size|are too small"):
            parse_volume_size(text)
