"""A planned container is the one that would be written."""

import os
from pathlib import Path

import pytest

from builder.change.new_file import can_clone, write_pieces
from builder.change.plan import Piece, Plan
from builder.file_range import FileRange
from builder.kit.kit import Kit
from builder.pack import write_entries, write_solofile
from builder.sign.secret_key import SecretKey
from builder.sources.source import LicenceFile, ModelFile
from runtime.container import LAUNCHER_ROOM, Container
from runtime.errors import DamagedFileError
from runtime.verify import verify
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf


def test_the_same_bytes(tiny_kit: Kit, tmp_path: Path) -> None:
    """What packing writes and what a plan of it says are the same file."""
    model = write_gguf(tmp_path / "model.gguf")
    contents = contents_of(
        tiny_kit,
        model,
        draft=ModelFile(model, "draft.gguf"),
        licences=[LicenceFile("LICENSE", b"Do as you like.\n")],
        signer=SecretKey.new(),
    )
    packed = write_solofile(contents, tmp_path / "packed")
    plan = Plan()
    assert write_entries(plan, contents, None) == packed
    write_pieces(plan.pieces, tmp_path / "planned")
    assert (tmp_path / "planned").read_bytes() == (tmp_path / "packed").read_bytes()
    assert verify(tmp_path / "planned") == []


def test_another_launcher_moves_no_weights(tiny_kit: Kit, tmp_path: Path) -> None:
    """Weights lie at the same place behind every launcher that fits before it."""
    offsets = []
    for size in (1, 70_000, LAUNCHER_ROOM - 200, LAUNCHER_ROOM):
        plan = Plan()
        plan.write_launcher(bytes(size))
        plan.add_file("model.gguf", write_gguf(tmp_path / "model.gguf"), aligned=True)
        offsets.append(plan.pieces[-1].offset)
    assert offsets == [LAUNCHER_ROOM] * 3 + [LAUNCHER_ROOM + 65536]


def test_a_source_that_shrinks(tmp_path: Path) -> None:
    """A file that became shorter after it was planned is told, instead of a file with a gap."""
    (tmp_path / "source").write_bytes(b"x" * 10)
    pieces = [Piece(0, FileRange(tmp_path / "source", 0, 11))]
    with pytest.raises(DamagedFileError, match="source became shorter"):
        write_pieces(pieces, tmp_path / "new")


def test_blocks_are_shared(tiny_kit: Kit, tmp_path: Path, cloning_disk: Path) -> None:
    """On a file system that can, a new file takes next to nothing for what another one holds."""
    size = 8 << 20
    (cloning_disk / "model.gguf").write_bytes(b"w" * size)
    plan = Plan()
    plan.write_launcher(b"launcher")
    plan.add_file("model.gguf", cloning_disk / "model.gguf", aligned=True)
    plan.finish()
    before = free_bytes(cloning_disk)
    write_pieces(plan.pieces, cloning_disk / "chat")
    assert before - free_bytes(cloning_disk) < size // 8
    with Container.open(cloning_disk / "chat") as container:
        assert b"".join(container.chunks("model.gguf")) == b"w" * size
    assert can_clone(cloning_disk / "chat")


def test_where_blocks_are_not_shared(small_disk: Path) -> None:
    """A file system that cannot is known as such."""
    (small_disk / "file").write_bytes(b"x")
    assert not can_clone(small_disk / "file")


def free_bytes(disk: Path) -> int:
    """Return what is free on a disk, with all that was written counted."""
    os.sync()
    facts = os.statvfs(disk)
    return facts.f_bavail * facts.f_frsize
