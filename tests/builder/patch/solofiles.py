"""Two small solofiles: an old one, and a new one in which some of it changed."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.change.plan import Plan
from builder.contents import Contents
from builder.digests import believe
from builder.file_range import FileRange
from builder.kit.kit import Kit
from builder.pack import write_entries, write_solofile
from builder.sidecar import SidecarFile
from runtime.container import Checksums
from tests.builder.contents import contents_of
from tests.builder.tiny_kit import ANSWERING, make_kit

# As a compressed package is: nothing to be gained but by knowing the old one.
RUNTIME = random.Random(1).randbytes(200_000)
# Hashing them takes seconds. Checking a solofile with them does so, and tells if this is wrong.
ZEROS_BYTES = (4 << 30) + (64 << 20)
ZEROS_CHECKSUMS = Checksums(
    "f8c6a4d9640d5154fd53d271e811269c35a3c6853ab8a72426acd23a280f965d", 202087032
)


def write_kit(folder: Path, launcher: bytes = ANSWERING, runtime: bytes = RUNTIME) -> Kit:
    """Write a kit into a folder that is made for it."""
    folder.mkdir()
    (folder / "program").write_bytes(launcher)
    (folder / "runtime.pkg").write_bytes(runtime)
    return make_kit(folder, folder / "program")


def write_new_kit(folder: Path) -> Kit:
    """Write one whose launcher is longer and whose runtime has something more in its middle."""
    runtime = RUNTIME[:90_000] + b"something more" + RUNTIME[90_100:]
    return write_kit(folder, ANSWERING + b"# longer\n" * 20, runtime)


def pack(kit: Kit, model: Path, path: Path, *, is_beside: bool = False, **others: Any) -> Contents:
    """Write a solofile with a model and whatever goes beside it."""
    contents = contents_of(kit, model, "Tiny", **others)
    beside = SidecarFile(path.with_name(f"{path.name}.weights"), f"{path.name}.weights")
    write_solofile(contents, path, beside if is_beside else None)
    path.chmod(0o755)
    return contents


def pack_sparse(kit: Kit, model: Path, path: Path, **others: Any) -> None:
    """Write a solofile whose weights are a hole of more than 4 GiB.

    Args:
        kit: Its kit.
        model: A GGUF that it tells the facts of.
        path: The file to write.
        others: What goes beside the weights.
    """
    zeros = path.with_name("zeros")
    with zeros.open("wb") as file:
        file.truncate(ZEROS_BYTES)
    believe(FileRange.of(zeros), ZEROS_CHECKSUMS)
    plan = Plan()
    write_entries(plan, replace(contents_of(kit, model, **others), weights=zeros), None)
    with path.open("wb") as file:
        for piece in plan.pieces:
            file.seek(piece.offset)
            if isinstance(piece.source, bytes):
                file.write(piece.source)
            elif piece.source.path != zeros:
                file.write(piece.source.path.read_bytes())
        file.truncate(plan.size)
    path.chmod(0o755)
