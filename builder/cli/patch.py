"""`patch`: an old solofile and a patch make the new one."""

from pathlib import Path

import click

from builder import console
from builder.cli.command import Command

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    cls=Command,
    examples=[
        "patch chat update.patch -o chat-2",
        "patch chat update.patch --in-place --key maker.pub",
    ],
)
@click.argument("old", type=_FILE)
@click.argument("patch_file", metavar="PATCH", type=_FILE)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="NEW",
    help="file to write",
)  # fmt: skip
@click.option("--in-place", is_flag=True, help="change OLD; what stays as it is is not written")
@click.option(
    "--key", "key_text", metavar="FILE|PUBLICKEY",
    help="who must have signed the new file: a public key",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON")
def patch(
    old: Path,
    patch_file: Path,
    output: Path | None,
    in_place: bool,
    key_text: str | None,
    as_json: bool,
) -> None:
    """Make a new solofile of OLD and a PATCH that `diff` wrote.

    A patch for another file is refused. Every byte of the new file is checked against its manifest,
    and that against its signature, before it is there; else OLD stays as it is.
    """
    if (output is None) != in_place:
        raise click.UsageError("Name a new file with -o, or say --in-place.")
    from builder.patch.apply import apply_patch
    from runtime.keys import find_public_key

    key = find_public_key(key_text) if key_text else None
    done = apply_patch(old, patch_file, output, key=key)
    if as_json:
        console.result_json(done)
    else:
        console.result(done.verdict.sentence)
