"""`sign`: signing solofiles that are there already."""

from collections.abc import Sequence
from pathlib import Path

import click

from builder import console
from builder.cli.command import Command


@click.command(
    cls=Command, examples=["sign chat", "sign dist/chat-* --sign-key other.key", "sign chat --json"]
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)  # fmt: skip
@click.option(
    "--sign-key", "key_path", type=click.Path(path_type=Path), metavar="FILE",
    help="secret key to sign with; your own by default",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="print what was signed as JSON")
def sign(files: Sequence[Path], key_path: Path | None, as_json: bool) -> None:
    """Sign each FILE: inside over its manifest, and as FILE.minisig over the whole.

    A file is checked first: what is damaged is not signed. An old signature is replaced.
    """
    from builder.change.in_place import held
    from builder.sign.own_key import open_key
    from builder.sign.sign import embed_signature, write_detached
    from runtime.verify import judge

    key = open_key(key_path)
    number = key.public.number
    signed = []
    for path in files:
        with held(path):
            size = path.stat().st_size
            with console.progress(f"Checking {path.name}", size) as advance:
                verdict = judge(path, advance=advance)
            verdict.require_sound()
            embed_signature(path, key)
            with console.progress(f"Signing {path.name}", size) as advance:
                beside = write_detached(path, key, advance=advance)
        signed.append({"path": str(path), "signature": str(beside), "key": number})
        if not as_json:
            console.result(f"{path} is signed by key {number}, beside it in {beside} too.")
    if as_json:
        console.result_json(signed)
