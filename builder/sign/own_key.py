"""The key this user signs with: where it lies, making it, and asking for its passphrase."""

import os
import sys
from pathlib import Path

import click

from builder.files import atomic_file
from builder.sign.secret_key import SecretKey, is_protected, read_secret_key, write_secret_key
from runtime.errors import UsageError
from runtime.keys import SUFFIX, keys_folder
from runtime.minisign import PublicKey

PASSPHRASE_VARIABLE = "SOLOFILE_PASSPHRASE"


def own_key_path() -> Path:
    """Return where the secret key lies unless another file is named."""
    return keys_folder() / "own.key"


def make_own_key(*, is_protected: bool) -> tuple[Path, PublicKey]:
    """Make the key this user signs with, and trust it.

    Args:
        is_protected: Whether a passphrase protects it.

    Returns:
        The file with the secret key, and the public one.

    Raises:
        DiskError: It cannot be written.
        UsageError: There is one already, or no passphrase is to be had.
    """
    path = own_key_path()
    if path.exists():
        raise UsageError(f"There is a key in {path} already.", hint="Move it away first.")
    passphrase = _new_passphrase() if is_protected else ""
    key = SecretKey.new()
    write_secret_key(path, key, passphrase)
    trust(key.public, path.with_suffix(SUFFIX))
    return path, key.public


def open_key(path: Path | None = None) -> SecretKey:
    """Return a key to sign with, after asking for its passphrase where it has one.

    Args:
        path: The file; None for this user's own.

    Raises:
        ResourceError: The machine has not the memory that the passphrase takes.
        UsageError: There is no such file, no key in it, or the passphrase is another.
    """
    path = path or own_key_path()
    if not is_protected(path):
        return read_secret_key(path, "")
    return read_secret_key(path, _passphrase(f"Passphrase of {path}", is_new=False))


def trust(key: PublicKey, path: Path | None = None) -> Path:
    """Count a key among those whose signatures are believed, and return the file with it.

    Raises:
        DiskError: The file cannot be written.
    """
    path = path or keys_folder() / f"{key.number}{SUFFIX}"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(key.file().encode())
    return path


def _new_passphrase() -> str:
    passphrase = _passphrase("New passphrase", is_new=True)
    if not passphrase:
        raise UsageError(
            "An empty passphrase protects nothing.",
            hint="Give one, or say --no-passphrase if the key is to lie there unprotected.",
        )
    return passphrase


def _passphrase(question: str, *, is_new: bool) -> str:
    if (given := os.environ.get(PASSPHRASE_VARIABLE)) is not None:
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            "A passphrase is needed, and there is no terminal to ask at.",
            hint=f"Set {PASSPHRASE_VARIABLE}.",
        )
    answer: str = click.prompt(
        question, hide_input=True, err=True, default="", show_default=False,
        confirmation_prompt=is_new,
    )  # fmt: skip
    return answer
