"""What changes of a solofile of more than 4 GiB take: `rebase`, in place or into a clone.

Its weights are a hole, so it needs no room; a file that holds them is changed by the same writes.
`python -m bench.rebasing [FOLDER]...`; a folder on a file system that shares blocks shows clones.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from builder import console
from builder.kit.at_hand import ensure_kit
from builder.rebase.order import RebaseOrder
from builder.rebase.rebase import rebase
from builder.rebase.report import RebaseReport
from builder.report import table
from builder.targets import host_target
from tests.builder.patch.solofiles import pack_sparse, write_kit
from tests.builder.tiny_gguf import write_gguf

ROUNDS = 5


def main(folders: list[str]) -> None:
    """Print the median of some rounds for each change, in each folder."""
    for folder in folders or [tempfile.gettempdir()]:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            console.result(f"{folder}\n{table(_measured(Path(scratch)))}")


def _measured(folder: Path) -> list[tuple[str, str]]:
    kit = ensure_kit(host_target())
    other = write_kit(
        folder / "kit", kit.launcher.read_bytes() + b"\0", kit.runtime_pkg.read_bytes() + b"\0"
    )
    model, chat = write_gguf(folder / "model.gguf"), folder / "chat"

    def prompt() -> Callable[[], RebaseReport]:
        pack_sparse(kit, model, chat, defaults={"system_prompt": "You are brief."})
        order = RebaseOrder(
            chat, defaults={"system_prompt": "You are exact."}, is_smoke_tested=False
        )
        return lambda: rebase(order)

    def runtime() -> Callable[[], RebaseReport]:
        pack_sparse(other, model, chat)
        return lambda: rebase(RebaseOrder(chat, has_new_kit=True, is_smoke_tested=False))

    return [("Prompt", _median(prompt)), ("Runtime", _median(runtime))]


def _median(prepared: Callable[[], Callable[[], RebaseReport]]) -> str:
    times = []
    for _ in range(ROUNDS):
        change = prepared()
        os.sync()
        started = time.monotonic()
        report = change()
        times.append(time.monotonic() - started)
    written = f"{console.human_bytes(report.written)} of {console.human_bytes(report.size)}"
    spread = f"({min(times):.2f} to {max(times):.2f})"
    return f"{statistics.median(times):.2f} s {spread}, {written} written, {report.method}"


if __name__ == "__main__":
    main(sys.argv[1:])
