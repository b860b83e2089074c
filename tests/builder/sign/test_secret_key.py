"""Secret keys: read and written as the stock minisign program does."""

from pathlib import Path

import pytest
from nacl.pwhash import scrypt

from builder.sign.secret_key import Cost, SecretKey, read_secret_key, write_secret_key
from runtime.errors import UsageError
from runtime.keys import read_public_key
from tests.builder.sign.minisign_program import minisign

CHEAP = Cost(scrypt.OPSLIMIT_INTERACTIVE, scrypt.MEMLIMIT_INTERACTIVE)
KEY = SecretKey(b"8bytes!!", SecretKey.new().key)


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_round_trip(tmp_path: Path, passphrase: str) -> None:
    """A key is read as it was written, and its owner alone can read the file."""
    path = tmp_path / "keys" / "own.key"
    write_secret_key(path, KEY, passphrase, CHEAP)
    assert read_secret_key(path, passphrase) == KEY
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert repr(KEY.key) not in repr(KEY)


def test_another_passphrase(tmp_path: Path) -> None:
    """It is told, and nothing of the key comes out."""
    write_secret_key(tmp_path / "own.key", KEY, "correct horse", CHEAP)
    for wrong in ("", "correct", "correct horse "):
        with pytest.raises(UsageError, match=r"That is not the passphrase of .*own\.key"):
            read_secret_key(tmp_path / "own.key", wrong)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    path = tmp_path / "own.key"
    write_secret_key(path, KEY, "")
    with pytest.raises(UsageError, match=r"There is a key in .*own\.key already"):
        write_secret_key(path, SecretKey.new(), "")
    assert read_secret_key(path, "") == KEY


@pytest.mark.parametrize("text", ["", "one line\n", "comment\nRWQAAEIy\n", "comment\n???\n"])
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    """Other files are told apart."""
    (tmp_path / "other").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="other holds no secret key of minisign's"):
        read_secret_key(tmp_path / "other", "")
    with pytest.raises(UsageError, match=r"There is no key .*missing"):
        read_secret_key(tmp_path / "missing", "")


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_the_stock_program_signs_with_ours(tmp_path: Path, passphrase: str) -> None:
    """It reads a key that we wrote, with and without a passphrase, and we read its signature."""
    message, path = tmp_path / "message", tmp_path / "own.key"
    message.write_bytes(b"A message.")
    write_secret_key(path, KEY, passphrase, CHEAP)
    done = minisign("-S", "-m", message, "-s", path, stdin=f"{passphrase}\n")
    assert done.returncode == 0, done.stderr
    done = minisign("-V", "-m", message, "-P", KEY.public.line)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_we_read_the_stock_programs(tmp_path: Path, passphrase: str) -> None:
    """A pair of keys that it made is read here, at the cost that it asks for."""
    public, secret = tmp_path / "maker.pub", tmp_path / "maker.key"
    how = ["-G"] if passphrase else ["-G", "-W"]
    done = minisign(*how, "-p", public, "-s", secret, stdin=f"{passphrase}\n{passphrase}\n")
    assert done.returncode == 0, done.stderr
    key = read_secret_key(secret, passphrase)
    assert key.public == read_public_key(public)
    assert key.public.number in public.read_text(encoding="utf-8")
