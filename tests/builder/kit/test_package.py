"""Writing `runtime.pkg`."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
import zstandard

from builder.kit import package
from builder.kit.package import package_texts, write_package
from runtime.package import HEADER_BYTES, INDEX_HEADER, INDEX_MAGIC, PackageHeader


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "FRAME_BYTES", 1000)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with files for several frames, one of them larger than a frame."""
    folder = tmp_path / "files"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "deep" / "deeper" / "large").write_bytes(b"L" * 5000)
    (folder / "deep" / "empty").touch()
    for number in range(5):
        (folder / f"small{number}").write_bytes(bytes([number]) * 400)
    (folder / "program").write_bytes(b"#!/bin/sh\n")
    (folder / "program").chmod(0o755)
    (folder / "link").symlink_to("deep/deeper/large")
    return folder


def test_header_and_bytes(files: Path, tmp_path: Path) -> None:
    """The header tells what is there, and the same files give the same bytes."""
    first, second = tmp_path / "first.pkg", tmp_path / "second.pkg"
    header = write_package(files, first, lowest_system=(2, 28))
    write_package(files, second, lowest_system=(2, 28))

    data = first.read_bytes()
    assert data == second.read_bytes()
    assert PackageHeader.unpack(data) == header
    assert header.sha256 == hashlib.sha256(data[HEADER_BYTES:]).digest()
    assert header.compressed_bytes == len(data) - HEADER_BYTES
    assert header.unpacked_bytes == 5000 + 5 * 400 + 10


def test_is_one_tar(files: Path, tmp_path: Path) -> None:
    """To a program that knows no frames, it is one stream of one tar."""
    write_package(files, tmp_path / "runtime.pkg")

    stream = io.BytesIO((tmp_path / "runtime.pkg").read_bytes()[HEADER_BYTES:])
    plain = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        archive.extractall(tmp_path / "out", filter="fully_trusted")
    written = {path.relative_to(files): path for path in files.rglob("*")}
    read = {path.relative_to(tmp_path / "out"): path for path in (tmp_path / "out").rglob("*")}
    assert written.keys() == read.keys()
    assert all(read[name].read_bytes() == written[name].read_bytes() for name in written
               if written[name].is_file())  # fmt: skip


def test_frames_hold_whole_members(files: Path, tmp_path: Path) -> None:
    """Each frame can be unpacked alone, after the first, which has the folders and links."""
    write_package(files, tmp_path / "runtime.pkg")

    frames = [_names(frame) for frame in _frames((tmp_path / "runtime.pkg").read_bytes())]
    assert frames == [
        ["deep", "deep/deeper", "link"],
        ["deep/deeper/large"],
        ["small0", "small1"],
        ["small2", "small3"],
        ["small4", "program", "deep/empty"],
    ]


def _frames(data: bytes) -> list[bytes]:
    magic, index_bytes = INDEX_HEADER.unpack_from(data, HEADER_BYTES)
    assert magic == INDEX_MAGIC
    begin = HEADER_BYTES + INDEX_HEADER.size
    sizes = memoryview(data[begin : begin + index_bytes]).cast("I")
    begin += index_bytes
    frames = []
    for size in sizes:
        frames.append(data[begin : begin + size])
        begin += size
    assert begin == len(data)
    return frames


def _names(frame: bytes) -> list[str]:
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(frame)
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        return archive.getnames()


def test_texts_are_read_out_of_it(files: Path, tmp_path: Path) -> None:
    """Those of one folder, over all frames, by their names in there."""
    write_package(files, tmp_path / "runtime.pkg")
    data = (tmp_path / "runtime.pkg").read_bytes()
    assert dict(package_texts(data, "deep")) == {"empty": b"", "deeper/large": b"L" * 5000}
    assert dict(package_texts(data, "deeper")) == {"large": b"L" * 5000}
    assert dict(package_texts(data, "small1")) == {}
