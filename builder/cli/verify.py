"""`verify`: whether every byte of solofiles is as it was packed."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from builder import console
from builder.cli.command import Command
from runtime.errors import DamagedFileError


@click.command(cls=Command, examples=["verify chat", "verify dist/* --json"])
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="print what was found as JSON")
def verify(files: Sequence[Path], as_json: bool) -> None:
    """Check every byte of each FILE against its manifest; the exit code is 3 if one is damaged."""
    from runtime.verify import judge

    verdicts = []
    for path in files:
        with console.progress(f"Checking {path.name}", path.stat().st_size) as advance:
            verdicts.append(judge(path, advance=advance))
        if verdicts[-1].problem:
            console.error(verdicts[-1].problem)
        elif not as_json:
            console.result(f"{path} is sound.")
    if as_json:
        console.result(msgspec.json.format(msgspec.json.encode(verdicts)).decode())
    if not all(verdict.is_sound for verdict in verdicts):
        raise click.exceptions.Exit(DamagedFileError.exit_code)
