"""`licenses`: the texts of the licences inside."""

import argparse
import sys
from pathlib import Path

from runtime.cli.command import answer, say, solofile_named
from runtime.container import Container
from runtime.manifest import read_manifest

SUMMARY = "Print the licences of all that is inside, or of the models in another solofile."
EXAMPLES = """\
  MODEL licenses
  MODEL licenses other-solofile"""
GROUPS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="another solofile")


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    path = solofile_named(arguments.file, "to read licences from")
    with Container.open(path) as container:
        manifest = read_manifest(container)
        for one in manifest.terms:
            say(one.sentence)
        names = [entry.name for entry in manifest.entries if entry.role == "licence"]
        if not names:
            say(f"{path} carries no licence text of its model.")
        for name in names:
            text = container.read(name).decode("utf-8", errors="replace")
            answer(f"==== {name} ====\n{text.rstrip()}\n")
    if arguments.file is None:
        for path in _runtime_texts():
            text = path.read_text(encoding="utf-8", errors="replace")
            answer(f"==== runtime: {path.parent.name}, {path.name} ====\n{text.rstrip()}\n")
    return 0


def _runtime_texts() -> list[Path]:
    """Return the licences of all that is frozen into this program."""
    unpacked = getattr(sys, "_MEIPASS", None)
    return sorted(Path(unpacked, "licences").glob("*/*")) if unpacked else []
