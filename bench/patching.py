"""What a patch of a solofile of more than 4 GiB takes: its size, making it, applying it in place.

Its weights are a hole, so it needs no room. It is in memory before it is patched.
`python -m bench.patching KIT [FOLDER]`; KIT is the folder of an older kit, as `kit list` names it.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from builder import console
from builder.file_range import FileRange
from builder.kit.at_hand import ensure_kit
from builder.kit.kit import Kit, load_kit
from builder.patch.apply import apply_patch
from builder.patch.diff import make_patch
from builder.patch.packing import chunks_of
from builder.report import table
from builder.targets import host_target
from tests.builder.patch.solofiles import pack_sparse
from tests.builder.tiny_gguf import write_gguf


def main(old_kit: str, folder: str = tempfile.gettempdir()) -> None:
    """Print what a newer runtime costs, and then another prompt."""
    old, new = load_kit(Path(old_kit)), ensure_kit(host_target())
    prompts = ["You are brief.", "You are exact."]
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        changes = [
            ("Runtime", _measured(Path(scratch), [old, new], prompts[:1] * 2)),
            ("Prompt", _measured(Path(scratch), [new, new], prompts)),
        ]
    console.result(f"{folder}\n{table(changes)}")


def _measured(folder: Path, kits: list[Kit], prompts: list[str]) -> str:
    model, patch = write_gguf(folder / "model.gguf"), folder / "update.patch"
    before, after = folder / "old", folder / "new"
    for path, kit, prompt in zip((before, after), kits, prompts, strict=True):
        pack_sparse(kit, model, path, defaults={"system_prompt": prompt})
    os.sync()
    for _ in chunks_of(FileRange.of(before)):  # So that it is in memory.
        pass
    times = [time.monotonic()]
    made = make_patch(before, after, patch)
    times.append(time.monotonic())
    apply_patch(before, patch, None)
    times.append(time.monotonic())
    sizes = f"{console.human_bytes(made.size)} for {console.human_bytes(made.new_size)}"
    return f"{sizes}, made in {times[1] - times[0]:.2f} s, put in in {times[2] - times[1]:.2f} s"


if __name__ == "__main__":
    main(*sys.argv[1:])
