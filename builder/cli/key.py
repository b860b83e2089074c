"""`key`: making a key to sign with, showing it, and trusting others'."""

from typing import TYPE_CHECKING

import click

from builder import console
from builder.cli.command import Command, write_examples

if TYPE_CHECKING:
    from runtime.minisign import PublicKey

EXAMPLES = ["key new", "key show", "key trust maker.pub"]


class _KeyGroup(click.Group):
    """The group, with examples under its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(ctx, formatter, EXAMPLES)


@click.group(cls=_KeyGroup)
def key() -> None:
    """Make a key to sign with, show it, and trust others'; keys are as minisign keeps them."""


@key.command(cls=Command, examples=["key new", "key new --no-passphrase --json"])
@click.option("--no-passphrase", is_flag=True, help="leave the secret key unprotected")
@click.option("--json", "as_json", is_flag=True, help="print the public key as JSON")
def new(no_passphrase: bool, as_json: bool) -> None:
    """Make the key that you sign with; it is asked for a passphrase that protects it.

    Without a terminal, the variable SOLOFILE_PASSPHRASE is the passphrase.
    """
    from builder.sign.own_key import make_own_key

    path, public = make_own_key(is_protected=not no_passphrase)
    console.info(f"The secret key is in {path}. Keep a copy of it, and keep it to yourself.")
    if as_json:
        console.result_json(_facts(public, "own") | {"secret_key": str(path)})
        return
    console.info("Those who check your signatures need the public key:")
    console.result(public.line)


@key.command(cls=Command, examples=["key show", "key show --json"])
@click.option("--json", "as_json", is_flag=True, help="print the keys as JSON")
def show(as_json: bool) -> None:
    """Show every key whose signatures are believed, one's own among them."""
    from builder.sign.own_key import own_key_path
    from runtime.keys import SUFFIX, keys_folder, read_public_key, trusted_keys

    found = []
    if not trusted_keys() and not as_json:
        console.info("There is no key yet: make one with `key new`, or `key trust` another's.")
    for path in sorted(keys_folder().glob(f"*{SUFFIX}")):
        one = read_public_key(path)
        whose = "own" if path == own_key_path().with_suffix(SUFFIX) else "trusted"
        found.append(_facts(one, whose))
    if as_json:
        console.result_json(found)
        return
    for facts in found:
        console.result("{key}  {whose:7}  {public_key}  {comment}".format(**facts))


@key.command(cls=Command, examples=["key trust maker.pub", "key trust RWQ... --name 'The maker'"])
@click.argument("public_key", metavar="FILE|PUBLICKEY")
@click.option("--name", default="", help="what to call its owner")
@click.option("--json", "as_json", is_flag=True, help="print the key as JSON")
def trust(public_key: str, name: str, as_json: bool) -> None:
    """Believe the signatures of a public key, which you have from somebody you know."""
    import msgspec

    from builder.sign.own_key import trust as trust_key
    from runtime.keys import find_public_key

    found = find_public_key(public_key)
    comment = name or found.comment or f"minisign public key {found.number}"
    found = msgspec.structs.replace(found, comment=comment)
    path = trust_key(found)
    console.info(f"Signatures of key {found.number} are believed from now on; it is in {path}.")
    if as_json:
        console.result_json(_facts(found, "trusted") | {"path": str(path)})


def _facts(one: "PublicKey", whose: str) -> dict[str, str]:
    return {
        "key": one.number,
        "whose": whose,
        "public_key": one.line,
        "comment": one.comment,
    }
