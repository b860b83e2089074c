"""`verify`: is every byte as it was packed."""

import argparse
import sys
import time
from pathlib import Path

import msgspec

from runtime.cli.command import answer, say, solofile_named
from runtime.errors import DamagedFileError
from runtime.keys import find_public_key
from runtime.verify import judge

SUMMARY = "Check every byte of this solofile, or of another one, against its manifest."
EXAMPLES = """\
  MODEL verify
  MODEL verify --key maker.pub
  MODEL verify other-solofile --json"""
GROUPS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="another solofile")
    parser.add_argument(
        "--key",
        metavar="FILE|PUBLICKEY",
        help="who must have signed it: a public key of minisign's",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    path = solofile_named(arguments.file, "to verify")
    key = find_public_key(arguments.key) if arguments.key else None
    progress = _Progress(path.stat().st_size)
    try:
        verdict = judge(path, key=key, advance=progress.advance)
    finally:
        progress.end()
    if arguments.json:
        answer(msgspec.json.format(msgspec.json.encode(verdict)).decode())
        return 0 if verdict.is_sound else DamagedFileError.exit_code
    verdict.require_sound()
    answer(verdict.sentence)
    return 0


class _Progress:
    """A line with per cent and rate on a terminal, nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = -1
        self._is_shown = sys.stderr.isatty()
        self._started = time.monotonic()

    def advance(self, amount: int) -> None:
        self._done += amount
        percent = min(100, round(self._done * 100 / self._total))
        if self._is_shown and percent != self._shown:
            self._shown = percent
            megabytes_per_s = self._done / 1e6 / max(time.monotonic() - self._started, 1e-3)
            bar = ("#" * (percent // 4)).ljust(25, "-")
            sys.stderr.write(f"\rChecking [{bar}] {percent:3} %  {megabytes_per_s:.0f} MB/s ")
            sys.stderr.flush()

    def end(self) -> None:
        if self._is_shown:
            say("")
