"""Compiled libraries in a vendored folder."""

from pathlib import Path

import pytest

from builder.vendor.collect import Work, collect
from builder.vendor.folder import LIBRARIES
from builder.vendor.product import unpack_vendored, write_product
from tests.builder.vendored import go_offline


def test_there_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and links come out as they were; another product is not there."""
    product = tmp_path / "here" / "libraries-abc"
    product.mkdir(parents=True)
    (product / "libx.so.0").write_bytes(b"library")
    (product / "libx.so").symlink_to("libx.so.0")

    work = Work(LIBRARIES, "", "", lambda folder: write_product(product, folder))
    collect(tmp_path / "v", [work])
    go_offline(tmp_path / "v", monkeypatch)

    there = tmp_path / "there"
    assert unpack_vendored(there / product.name)
    assert (there / product.name / "libx.so").read_bytes() == b"library"
    assert (there / product.name / "libx.so").is_symlink()
    assert not unpack_vendored(there / "libraries-xyz")
    assert not (there / "libraries-xyz").exists()
