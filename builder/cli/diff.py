"""`diff`: what a new solofile has that an old one lacks, as a patch."""

from pathlib import Path

import click

from builder import console
from builder.cli.command import Command

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    cls=Command,
    examples=["diff chat-1 chat-2 -o update.patch", "diff chat-1 chat-2 -o update.patch --json"],
)
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    metavar="PATCH", help="file to write",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
def diff(old: Path, new: Path, output: Path, as_json: bool) -> None:
    """Write a patch that makes the solofile NEW of the solofile OLD, byte by byte.

    It carries what OLD has not: parts that changed, and of models the tensors that did. NEW's
    signature rides along. Weights that lie beside the files are parts as well.
    """
    from builder.patch.diff import make_patch

    made = make_patch(old, new, output)
    if as_json:
        console.result_json(made)
    else:
        console.result(made.as_text())
