"""`licenses`: the texts of the licences inside."""

import argparse
from pathlib import Path

from runtime.cli.command import answer, say, solofile_named
from runtime.container import Container
from runtime.manifest import read_manifest

SUMMARY = "Print the licences of the models inside this solofile, or another one."
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
            say(f"{path} carries no licence text.")
        for name in names:
            text = container.read(name).decode("utf-8", errors="replace")
            answer(f"==== {name} ====\n{text.rstrip()}\n")
    return 0
