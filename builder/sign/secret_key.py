"""A secret key, and the file in which minisign keeps one.

The file's line is base64 of: algorithms of key, passphrase and checksum (2 bytes each), what scrypt
was run with (salt of 32 bytes, operations and bytes of memory as 8 bytes each), and then, covered
by what scrypt gives for the passphrase, the id, the Ed25519 key and a checksum of both.
"""

import base64
import binascii
import hashlib
import os
import secrets
import struct
from dataclasses import dataclass, field
from pathlib import Path

from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_keypair
from nacl.exceptions import CryptoError
from nacl.pwhash import scrypt

from builder.errors import DiskError
from runtime.errors import ResourceError, UsageError
from runtime.minisign import PublicKey, Signature, key_number

_FILE = struct.Struct("<2s2s2s32sQQ104s")
_SIGNS, _SCRYPT, _PLAIN, _BLAKE2B = b"Ed", b"Sc", b"\0\0", b"B2"
_COMMENT = "untrusted comment: minisign encrypted secret key"


@dataclass(frozen=True, slots=True)
class Cost:
    """What trying one passphrase takes: operations, and bytes of memory."""

    operations: int = scrypt.OPSLIMIT_SENSITIVE
    memory_bytes: int = scrypt.MEMLIMIT_SENSITIVE


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key that signs.

    Args:
        id: What minisign knows it by, 8 bytes.
        key: The Ed25519 key with its public half, 64 bytes.
    """

    id: bytes
    key: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "SecretKey":
        """Return a key that nobody has."""
        return cls(secrets.token_bytes(8), crypto_sign_keypair()[1])

    @property
    def public(self) -> PublicKey:
        """The half that everybody may know."""
        comment = f"minisign public key {key_number(self.id)}"
        return PublicKey(self.id, self.key[32:], comment)

    def sign(self, digest: bytes, *, comment: str, untrusted: str) -> Signature:
        """Return a signature; the same input gives the same one.

        Args:
            digest: The BLAKE2b-512 of what is signed.
            comment: What is signed as well.
            untrusted: What is not.
        """
        signature = crypto_sign(digest, self.key)[:crypto_sign_BYTES]
        second = crypto_sign(signature + comment.encode(), self.key)[:crypto_sign_BYTES]
        return Signature(self.id, signature, comment, second, untrusted)


def write_secret_key(path: Path, key: SecretKey, passphrase: str, cost: Cost | None = None) -> None:
    """Write a key into a new file that its owner alone can read.

    Args:
        path: The file.
        key: The key.
        passphrase: What protects it; empty leaves it as it is.
        cost: What trying a passphrase is to take; None for minisign's own.

    Raises:
        DiskError: It cannot be written.
        ResourceError: The machine has not the memory that the cost names.
        UsageError: There is such a file.
    """
    plain = key.id + key.key
    if passphrase:
        cost = cost or Cost()
        salt = secrets.token_bytes(32)
        secret = plain + _checksum(plain)
        hidden = _covered(secret, passphrase, salt, cost)
        data = _FILE.pack(
            _SIGNS, _SCRYPT, _BLAKE2B, salt, cost.operations, cost.memory_bytes, hidden
        )
    else:
        data = _FILE.pack(_SIGNS, _PLAIN, _BLAKE2B, b"", 0, 0, plain)
    text = f"{_COMMENT}\n{base64.b64encode(data).decode()}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(
            f"There is a key in {path} already.", hint="Move it away, or name another file."
        ) from error
    except OSError as error:
        raise DiskError(f"The key cannot be written to {path}: {error.strerror}.") from error


def is_protected(path: Path) -> bool:
    """Say whether a file with a secret key asks for a passphrase.

    Raises:
        UsageError: There is no such file, or no key in it.
    """
    return _read(path)[1] == _SCRYPT


def read_secret_key(path: Path, passphrase: str) -> SecretKey:
    """Return the key in a file.

    Args:
        path: The file.
        passphrase: What protects it; of no use where nothing does.

    Raises:
        ResourceError: The machine has not the memory that the passphrase takes.
        UsageError: There is no such file, no key in it, or the passphrase is another.
    """
    _, protection, _, salt, operations, memory_bytes, secret = _read(path)
    if protection == _SCRYPT:
        secret = _covered(secret, passphrase, salt, Cost(operations, memory_bytes))
        if secret[72:] != _checksum(secret[:72]):
            raise UsageError(f"That is not the passphrase of {path}.")
    return SecretKey(secret[:8], secret[8:72])


def _read(path: Path) -> tuple[bytes, bytes, bytes, bytes, int, int, bytes]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        fields = _FILE.unpack(base64.b64decode(lines[1], validate=True))
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no key {path}.", hint="Make one with `key new`, or name its file."
        ) from error
    except (OSError, ValueError, IndexError, binascii.Error, struct.error) as error:
        raise UsageError(f"{path} holds no secret key of minisign's.") from error
    if fields[0] != _SIGNS or fields[1] not in (_SCRYPT, _PLAIN) or fields[2] != _BLAKE2B:
        raise UsageError(f"{path} holds a secret key of a kind that is not known here.")
    return fields


def _covered(secret: bytes, passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """Cover, or uncover, what is kept by a passphrase."""
    try:
        mask = scrypt.kdf(
            len(secret), passphrase.encode(), salt,
            opslimit=cost.operations, memlimit=cost.memory_bytes,
        )  # fmt: skip
    except (CryptoError, MemoryError, ValueError) as error:
        raise ResourceError(
            f"The passphrase takes {cost.memory_bytes >> 20} MiB of memory, and there is not so "
            "much."
        ) from error
    return bytes(one ^ other for one, other in zip(secret, mask, strict=True))


def _checksum(plain: bytes) -> bytes:
    return hashlib.blake2b(_SIGNS + plain, digest_size=32).digest()
