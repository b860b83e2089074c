"""`verify`: whether every byte of solofiles is as it was packed."""

from collections.abc import Sequence
from pathlib import Path

import click

from builder import console
from builder.cli.command import Command
from runtime.errors import DamagedFileError


@click.command(
    cls=Command, examples=["verify chat", "verify chat --key maker.pub", "verify dist/* --json"]
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)  # fmt: skip
@click.option(
    "--key", "key_text", metavar="FILE|PUBLICKEY", help="who must have signed it: a public key"
)
@click.option("--json", "as_json", is_flag=True, help="print what was found as JSON")
def verify(files: Sequence[Path], key_text: str | None, as_json: bool) -> None:
    """Check every byte of each FILE against its manifest, and that against its signature.

    The exit code is 3 if one is damaged, or not signed by the key that --key names. Without --key,
    signatures are checked that are by keys you trust.
    """
    from runtime.keys import find_public_key
    from runtime.verify import judge

    key = find_public_key(key_text) if key_text else None
    verdicts = []
    for path in files:
        with console.progress(f"Checking {path.name}", path.stat().st_size) as advance:
            verdicts.append(judge(path, key=key, advance=advance))
        if verdicts[-1].problem:
            console.error(verdicts[-1].problem)
        elif not as_json:
            console.result(verdicts[-1].sentence)
    if as_json:
        console.result_json(verdicts)
    if not all(verdict.is_sound for verdict in verdicts):
        raise click.exceptions.Exit(DamagedFileError.exit_code)
