"""`verify`: is every byte as it was packed."""

import argparse
import sys
from pathlib import Path

from runtime.cli.command import answer, say, solofile_named
from runtime.verify import require_sound

SUMMARY = "Check every byte of this solofile, or of another one, against its manifest."
EXAMPLES = """\
  MODEL verify
  MODEL verify other-solofile"""
GROUPS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="another solofile")


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    path = solofile_named(arguments.file, "to verify")
    progress = _Progress(path.stat().st_size)
    try:
        require_sound(path, advance=progress.advance)
    finally:
        progress.end()
    answer(f"{path} is sound.")
    return 0


class _Progress:
    """Per cent on a terminal, nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = -1
        self._is_shown = sys.stderr.isatty()

    def advance(self, amount: int) -> None:
        self._done += amount
        percent = min(100, self._done * 100 // self._total)
        if self._is_shown and percent != self._shown:
            self._shown = percent
            sys.stderr.write(f"\rChecking: {percent} %")
            sys.stderr.flush()

    def end(self) -> None:
        if self._is_shown:
            say("")
