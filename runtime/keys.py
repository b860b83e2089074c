"""The keys that a user signs with and those they trust, in their folder of settings."""

from pathlib import Path

from runtime.errors import UsageError
from runtime.minisign import PublicKey, parse_public_key
from runtime.user_folders import user_config_dir

SUFFIX = ".pub"
_MAX_FILE_BYTES = 4096


def keys_folder() -> Path:
    """Return the folder of all keys."""
    return user_config_dir() / "keys"


def trusted_keys() -> list[PublicKey]:
    """Return the keys that this user trusts, their own among them.

    Raises:
        UsageError: A file among them is none.
    """
    return [read_public_key(path) for path in sorted(keys_folder().glob(f"*{SUFFIX}"))]


def find_public_key(text: str) -> PublicKey:
    """Return the key that a file holds, or that the text itself is.

    Raises:
        UsageError: There is neither.
    """
    path = Path(text)
    try:
        is_file = path.is_file()
    except OSError:
        # Too long for a name.
        is_file = False
    if is_file:
        return read_public_key(path)
    try:
        return parse_public_key(text)
    except UsageError as error:
        problem = f"{text[:80]} is no public key of minisign's, and no file."
        raise UsageError(problem, hint=error.hint) from error


def read_public_key(path: Path) -> PublicKey:
    """Return the key in a file.

    Raises:
        UsageError: It holds none.
    """
    with path.open("rb") as file:
        text = file.read(_MAX_FILE_BYTES).decode(errors="replace")
    try:
        return parse_public_key(text)
    except UsageError as error:
        raise UsageError(f"{path} holds no public key of minisign's.", hint=error.hint) from error
