"""`key`: making a key to sign with, showing it, and trusting others'."""

import click

from builder import console
from builder.cli.command import Command, write_examples

EXAMPLES = ["key new", "key show", "key trust maker.pub"]


class _KeyGroup(click.Group):
    """The group, with examples under its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(ctx, formatter, EXAMPLES)


@click.group(cls=_KeyGroup)
def key() -> None:
    """Make a key to sign with, show it, and trust others'; keys are as minisign keeps them."""


@key.command(cls=Command, examples=["key new", "key new --no-passphrase"])
@click.option("--no-passphrase", is_flag=True, help="leave the secret key unprotected")
def new(no_passphrase: bool) -> None:
    """Make the key that you sign with; it is asked for a passphrase that protects it.

    Without a terminal, the variable SOLOFILE_PASSPHRASE is the passphrase.
    """
    from builder.sign.own_key import make_own_key

    path, public = make_own_key(is_protected=not no_passphrase)
    console.info(f"The secret key is in {path}. Keep a copy of it, and keep it to yourself.")
    console.info("Those who check your signatures need the public key:")
    console.result(public.line)


@key.command(cls=Command, examples=["key show", "key show --json"])
@click.option("--json", "as_json", is_flag=True, help="print the keys as JSON")
def show(as_json: bool) -> None:
    """Show every key whose signatures are believed, one's own among them."""
    import json

    from builder.sign.own_key import own_key_path
    from runtime.keys import SUFFIX, keys_folder, read_public_key, trusted_keys

    rows = []
    if not trusted_keys() and not as_json:
        console.info("There is no key yet: make one with `key new`, or `key trust` another's.")
    for path in sorted(keys_folder().glob(f"*{SUFFIX}")):
        one = read_public_key(path)
        whose = "own" if path == own_key_path().with_suffix(SUFFIX) else "trusted"
        rows.append((one.number, whose, one.line, one.comment))
    if as_json:
        names = ("key", "whose", "public_key", "comment")
        console.result(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return
    for number, whose, line, comment in rows:
        console.result(f"{number}  {whose:7}  {line}  {comment}")


@key.command(cls=Command, examples=["key trust maker.pub", "key trust RWQ... --name 'The maker'"])
@click.argument("public_key", metavar="FILE|PUBLICKEY")
@click.option("--name", default="", help="what to call its owner")
def trust(public_key: str, name: str) -> None:
    """Believe the signatures of a public key, which you have from somebody you know."""
    import msgspec

    from builder.sign.own_key import trust as trust_key
    from runtime.keys import find_public_key

    found = find_public_key(public_key)
    comment = name or found.comment or f"minisign public key {found.number}"
    path = trust_key(msgspec.structs.replace(found, comment=comment))
    console.info(f"Signatures of key {found.number} are believed from now on; it is in {path}.")
