"""The container: written, read back by us and by other zip tools, cut short, and altered."""

import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.container import ALIGNMENT, Checksums, Container, ContainerWriter, RangeCopier
from runtime.errors import DamagedFileError
from runtime.layout import layout_faults
from runtime.zip_records import Entry, directory_and_end, ends_with_directory

LAUNCHER = b"#!/bin/sh\nexit 0\n"
ENTRIES = {
    "model.gguf": b"GGUF" + bytes(range(256)) * 40,
    "LICENSES/LICENSE": b"Do as you like.\n",
    "solofile.json": b'{"format_version": "1.0"}\n',
    "runtime.pkg": bytes(reversed(range(256))) * 30,
}
FOUR_GIBIBYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class Item:
    """One entry to write."""

    name: str
    data: bytes
    aligned: bool


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A small container with every kind of entry."""
    path = tmp_path / "small"
    items = [Item(name, data, name.endswith(".gguf")) for name, data in ENTRIES.items()]
    path.write_bytes(write(items, tmp_path))
    return path


def write(items: list[Item], folder: Path, launcher: bytes = LAUNCHER) -> bytes:
    """Return a container with these entries, added from files as the packer does."""
    source = folder / "source"
    source.write_bytes(launcher)
    with (folder / "written").open("w+b") as file:
        writer = ContainerWriter(file)
        assert writer.write_launcher(source) == hashlib.sha256(launcher).hexdigest()
        for item in items:
            source.write_bytes(item.data)
            digest = writer.add_file(item.name, source, aligned=item.aligned).sha256
            assert digest == hashlib.sha256(item.data).hexdigest()
        writer.finish()
    return (folder / "written").read_bytes()


@given(
    launcher=st.binary(max_size=70_000),
    items=st.lists(
        st.builds(
            Item,
            st.text("abcdefghij/äß.", min_size=1, max_size=60),
            st.binary(max_size=2000) | st.integers(0, 200_000).map(bytes),
            st.booleans(),
        ),
        max_size=6,
        unique_by=lambda item: item.name,
    ),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, launcher: bytes, items: list[Item]
) -> None:
    """Whatever goes in comes out, where it was asked to lie, for us and for zipfile."""
    folder = tmp_path_factory.mktemp("round")
    data = write(items, folder, launcher)
    assert data == write(items, folder, launcher), "the same input gives the same bytes"
    assert data.startswith(launcher)
    path = folder / "written"
    with Container.open(path) as container, zipfile.ZipFile(path) as archive:
        assert list(container.entries) == [item.name for item in items]
        assert archive.testzip() is None
        assert layout_faults(container, len(launcher), container.entries) == []
        for item in items:
            entry = container.entry(item.name)
            assert container.read(item.name) == archive.read(item.name) == item.data
            assert data[entry.offset : entry.end] == item.data
            assert entry.offset % ALIGNMENT == 0 or not item.aligned
    shutil.rmtree(folder)


def test_small_entries_from_memory(tmp_path: Path) -> None:
    """Bytes given as such make the same container as bytes from a file."""
    items = [Item(name, data, aligned=False) for name, data in ENTRIES.items()]
    with io.BytesIO() as file:
        writer = ContainerWriter(file)
        file.write(LAUNCHER)
        for item in items:
            writer.add_bytes(item.name, item.data)
        writer.finish()
        assert file.getvalue() == write(items, tmp_path)


@pytest.mark.parametrize(
    "command",
    [["unzip", "-t"], ["zipinfo", "-v"], ["zip", "-T"], [sys.executable, "-m", "zipfile", "-t"]],
    ids=" ".join,
)
def test_zip_tools_accept_it(container: Path, command: list[str]) -> None:
    """Other programs find nothing to complain about but the launcher in front."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    named = container.rename(container.with_suffix(".zip"))
    done = subprocess.run([*command, named], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in (done.stdout + done.stderr).lower().replace("no errors", "")


def test_every_cut_is_told(container: Path, tmp_path: Path) -> None:
    """However short a container is cut, it cannot be opened."""
    data = container.read_bytes()
    with Container.open(container) as whole:
        ends = [entry.end for entry in whole.entries.values()]
    cut = tmp_path / "cut"
    for length in {0, 1, 21, 22, 100, *ends, *range(ends[-1], len(data))}:
        cut.write_bytes(data[:length])
        with pytest.raises(DamagedFileError, match=r"cut is not a solofile, or it is cut short"):
            Container.open(cut)


def test_bytes_behind_it_are_told(container: Path) -> None:
    """Something appended makes it no container any more."""
    with container.open("ab") as file:
        file.write(b"x")
    assert not ends_with_directory(container)
    with pytest.raises(DamagedFileError, match="cut short or damaged"):
        Container.open(container)


def test_every_altered_byte_outside_entries_is_found(container: Path, tmp_path: Path) -> None:
    """No byte of padding, headers, directory and end records can change unseen."""
    data = container.read_bytes()
    with Container.open(container) as whole:
        entries = list(whole.entries.values())
    outside = [*range(len(LAUNCHER), entries[0].header_offset, 3371)]
    for entry in entries:
        outside += range(entry.header_offset, entry.offset)
    outside += range(entries[-1].end, len(data))
    altered = tmp_path / "altered"
    for position in outside:
        changed = bytearray(data)
        changed[position] ^= 0x41
        altered.write_bytes(changed)
        assert is_misplaced(altered), f"the byte at {position}"


def is_misplaced(path: Path) -> bool:
    """Say whether opening or checking tells that something is wrong."""
    try:
        with Container.open(path) as container:
            return layout_faults(container, len(LAUNCHER), ENTRIES) != []
    except DamagedFileError:
        return True


def test_an_altered_entry_is_not_read(container: Path) -> None:
    """A small entry is checked against its checksum when it is read."""
    data = bytearray(container.read_bytes())
    data[data.index(b'{"format_version"')] ^= 1
    container.write_bytes(data)
    with (
        Container.open(container) as opened,
        pytest.raises(DamagedFileError, match=r"solofile\.json inside .* is damaged"),
    ):
        opened.read("solofile.json")


def test_a_missing_entry_is_named(container: Path) -> None:
    """Asking for what is not there says so."""
    with (
        Container.open(container) as opened,
        pytest.raises(DamagedFileError, match=r"holds no projector\.gguf"),
    ):
        opened.entry("projector.gguf")


@given(data=st.binary(max_size=400), tail=st.booleans())
def test_no_bytes_bring_another_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, tail: bool
) -> None:
    """Whatever a file holds, it opens or is told to be damaged."""
    path = tmp_path_factory.getbasetemp() / "noise"
    path.write_bytes(data + (b"PK\x05\x06" + data[:18].ljust(18, b"\0") if tail else b""))
    try:
        Container.open(path).__exit__(None, None, None)
    except DamagedFileError:
        return


@pytest.mark.parametrize("copies_in_kernel", [True, False])
def test_known_checksums_are_believed(
    copies_in_kernel: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes come out, and what is known is not computed again."""
    if not copies_in_kernel:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    source = tmp_path / "source"
    source.write_bytes(bytes(100) + random.Random(1).randbytes(3_000_000))
    told: list[int] = []

    def packed(known: Checksums | None) -> tuple[Checksums, bytes]:
        with (tmp_path / "out").open("w+b") as file:
            writer = ContainerWriter(file)
            checksums = writer.add_file(
                "x", source, offset=100, size=2_500_000, known=known, advance=told.append
            )
            writer.finish()
        return checksums, (tmp_path / "out").read_bytes()

    checksums, written = packed(None)
    assert packed(checksums) == (checksums, written)
    assert sum(told) == 2 * 2_500_000
    bogus = Checksums("no digest", 7)
    assert packed(bogus)[0] == bogus


def test_a_source_that_shrinks_is_told(tmp_path: Path) -> None:
    """A file that changes while it is copied does not make a broken container."""
    source = tmp_path / "growing"
    source.write_bytes(bytes(3_000_000))

    def shrink(_: int) -> None:
        source.write_bytes(b"")

    with (tmp_path / "out").open("w+b") as file:
        writer = ContainerWriter(file)
        with pytest.raises(DamagedFileError, match="changed its size while it was being packed"):
            writer.add_file("x", source, advance=shrink)


def test_offsets_past_four_gibibytes(tmp_path: Path) -> None:
    """Entries behind 4 GiB are found through ZIP64, by us and by other tools."""
    path = tmp_path / "large.zip"
    with path.open("w+b") as file:
        # A launcher that is one hole takes no room on the disk.
        file.truncate(FOUR_GIBIBYTES + 5)
        writer = ContainerWriter(file)
        writer.add_bytes("first", b"1" * 1000)
        writer.add_bytes("second", b"2" * 1000)
        writer.finish()
    assert_tools_agree(path)
    with Container.open(path) as container:
        assert container.read("second") == b"2" * 1000
        assert layout_faults(container, FOUR_GIBIBYTES + 5, container.entries) == []


@pytest.mark.parametrize("size", [0xFFFFFFFE, 0xFFFFFFFF, FOUR_GIBIBYTES + 12345])
def test_entries_of_four_gibibytes(tmp_path: Path, size: int) -> None:
    """An entry as large as 32 bits hold, and larger, is described as every tool expects."""
    path = tmp_path / "large.zip"
    large = Entry(
        "model.gguf", ALIGNMENT - len(Entry("model.gguf", 0, size, 0).local_header()), size, 0
    )
    small = Entry("behind", large.end, 6, zlib.crc32(b"behind"))
    with path.open("wb") as file:
        for entry, data in (large, b""), (small, b"behind"):
            file.seek(entry.header_offset)
            file.write(entry.local_header() + data)
        file.write(directory_and_end([large, small], small.end))
    assert_tools_agree(path)
    with Container.open(path) as container:
        assert container.entry("model.gguf") == large
        assert container.read("behind") == b"behind"
        assert layout_faults(container, 0, container.entries) == []


def test_a_large_file_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of more than 4 GiB is read, hashed and described whole.

    It is all holes but for its end, and so is the copy: this test needs neither disk nor patience.
    """
    monkeypatch.setattr(RangeCopier, "write", write_holes)
    source, path = tmp_path / "source", tmp_path / "large.zip"
    with source.open("wb") as file:
        file.truncate(FOUR_GIBIBYTES + 10)
        file.seek(FOUR_GIBIBYTES)
        file.write(b"0123456789")
    with path.open("w+b") as file:
        writer = ContainerWriter(file)
        writer.add_file("model.gguf", source, aligned=True)
        writer.add_bytes("behind", b"behind")
        writer.finish()
    assert_tools_agree(path)
    with Container.open(path) as container:
        entry = container.entry("model.gguf")
        assert (entry.size, entry.offset % ALIGNMENT) == (FOUR_GIBIBYTES + 10, 0)
        assert b"".join(container.range(entry.end - 12, entry.end)) == b"\0\0" + b"0123456789"
        assert container.read("behind") == b"behind"


def write_holes(copier: RangeCopier, chunk: bytes) -> None:
    """Write a chunk, leaving a hole where it is all zeros."""
    if chunk == bytes(len(chunk)):
        copier._target.seek(len(chunk), os.SEEK_CUR)
    else:
        copier._target.write(chunk)


def assert_tools_agree(path: Path) -> None:
    """Check that zipfile and zipinfo find the entries where we do.

    zipinfo takes an entry of exactly 0xFFFFFFFF bytes for a mistake, whoever wrote it.
    """
    with Container.open(path) as container, zipfile.ZipFile(path) as archive:
        ours = [
            (entry.name, entry.size, entry.header_offset) for entry in container.entries.values()
        ]
        infos = archive.infolist()
        assert ours == [(info.filename, info.file_size, info.header_offset) for info in infos]
        assert archive.read(infos[-1]) == container.read(infos[-1].filename)
    if shutil.which("zipinfo") and all(size != 0xFFFFFFFF for _, size, _ in ours):
        done = subprocess.run(["zipinfo", "-l", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        for name, size, _ in ours:
            assert any(
                line.endswith(name) and f" {size} " in line for line in done.stdout.splitlines()
            )
