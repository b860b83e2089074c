"""`extract`: take entries out again."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from runtime.cli.command import answer, solofile_named
from runtime.container import Container
from runtime.errors import ResourceError, UsageError
from runtime.manifest import read_manifest
from runtime.sidecar import open_sidecar

SUMMARY = "Write the weights, or other entries, out as ordinary files."
EXAMPLES = """\
  MODEL extract
  MODEL extract solofile.json -C /tmp
  MODEL extract --all"""
GROUPS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("names", nargs="*", metavar="ENTRY", help="entries (default: the weights)")
    parser.add_argument("--all", action="store_true", help="every entry")
    parser.add_argument("-f", "--file", type=Path, metavar="FILE", help="from another solofile")
    parser.add_argument("-C", "--directory", type=Path, default=Path(), help="where to")


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    path = solofile_named(arguments.file, "to extract from")
    with ExitStack() as opened:
        container = opened.enter_context(Container.open(path))
        holders = dict.fromkeys(container.entries, container)
        if sidecar := read_manifest(container).sidecar:
            beside = opened.enter_context(open_sidecar(path, sidecar))
            holders |= dict.fromkeys(beside.entries, beside)
        weights = [name for name in holders if name.endswith(".gguf")]
        names = list(holders) if arguments.all else arguments.names or weights
        for name in names:
            if name not in holders:
                known = ", ".join(sorted(holders))
                raise UsageError(f"{path} holds no {name}.", hint=f"Its entries are {known}.")
        for name in names:
            target = arguments.directory / Path(name).name
            _write(holders[name], name, target)
            answer(str(target))
    return 0


def _write(container: Container, name: str, target: Path) -> None:
    """Write one entry under a temporary name first, so that no half of it ever has its name."""
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            for chunk in container.chunks(name):
                file.write(chunk)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ResourceError(f"{target} could not be written: {error.strerror}.") from error
