"""Public keys and signatures as minisign writes them: read, written, checked.

A signature is Ed25519 over the BLAKE2b-512 of what is signed, and a second one over the first and
the trusted comment. A key is known by its number, the hex digits that minisign shows as well.
"""

import base64
import binascii
import hashlib

import msgspec

from runtime.errors import UsageError

_KEY_ALGORITHM = b"Ed"
_HASHED = b"ED"
_UNTRUSTED, _TRUSTED = "untrusted comment: ", "trusted comment: "
_ID_BYTES, _KEY_BYTES, _SIGNATURE_BYTES = 8, 32, 64


class PublicKey(msgspec.Struct, frozen=True):
    """Who signed.

    Args:
        id: What minisign knows it by, 8 bytes.
        key: The Ed25519 key, 32 bytes.
        comment: What the file with it says of it; anybody can have written that.
    """

    id: bytes
    key: bytes
    comment: str = ""

    @property
    def number(self) -> str:
        """The id as minisign shows it."""
        return key_number(self.id)

    @property
    def line(self) -> str:
        """The key as one word, as `minisign -P` takes it."""
        return base64.b64encode(_KEY_ALGORITHM + self.id + self.key).decode()

    def file(self) -> str:
        """Return the text of a file with the key."""
        return f"{_UNTRUSTED}{self.comment}\n{self.line}\n"


class Signature(msgspec.Struct, frozen=True):
    """A signature, with what its two comments say.

    Args:
        key_id: The id of the key that made it.
        signature: Over the digest of what is signed.
        comment: What the second signature vouches for.
        comment_signature: Over `signature` and `comment`.
        untrusted: What nobody vouches for.
    """

    key_id: bytes
    signature: bytes
    comment: str
    comment_signature: bytes
    untrusted: str

    def file(self) -> str:
        """Return the text of a file with the signature."""
        first = base64.b64encode(_HASHED + self.key_id + self.signature).decode()
        second = base64.b64encode(self.comment_signature).decode()
        return f"{_UNTRUSTED}{self.untrusted}\n{first}\n{_TRUSTED}{self.comment}\n{second}\n"

    def is_by(self, key: PublicKey, digest: bytes) -> bool:
        """Say whether a key made it for what has this BLAKE2b-512 digest."""
        from nacl.bindings import crypto_sign_open
        from nacl.exceptions import BadSignatureError

        if self.key_id != key.id:
            return False
        vouched = self.signature + self.comment.encode()
        try:
            crypto_sign_open(self.signature + digest, key.key)
            crypto_sign_open(self.comment_signature + vouched, key.key)
        except BadSignatureError:
            return False
        return True


def key_number(key_id: bytes) -> str:
    """Return a key's id as minisign shows it: hex digits, the last byte first."""
    return key_id[::-1].hex().upper()


def digest_of(data: bytes) -> bytes:
    """Return what is signed of some bytes."""
    return hashlib.blake2b(data).digest()


def parse_public_key(text: str) -> PublicKey:
    """Return a public key, given as one word or as the text of a file.

    Raises:
        UsageError: It is none.
    """
    lines = text.strip().splitlines()
    comment = lines[0].removeprefix(_UNTRUSTED) if len(lines) > 1 else ""
    data = _decoded(lines[-1]) if lines else b""
    if len(data) != 2 + _ID_BYTES + _KEY_BYTES or data[:2] != _KEY_ALGORITHM:
        raise UsageError(
            f"{lines[-1][:80] if lines else 'An empty text'} is no public key of minisign's.",
            hint="Name a file as key.pub, or the word in it that begins with RW.",
        )
    return PublicKey(data[2 : 2 + _ID_BYTES], data[2 + _ID_BYTES :], comment)


def parse_signature(text: bytes) -> Signature | None:
    """Return the signature that a file's text is, or None where it is not exactly one."""
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError:
        return None
    if len(lines) != 5:
        return None
    first, second = _decoded(lines[1]), _decoded(lines[3])
    found = Signature(
        key_id=first[2 : 2 + _ID_BYTES],
        signature=first[2 + _ID_BYTES :],
        comment=lines[2].removeprefix(_TRUSTED),
        comment_signature=second,
        untrusted=lines[0].removeprefix(_UNTRUSTED),
    )
    has_lengths = len(found.signature) == len(second) == _SIGNATURE_BYTES
    return found if has_lengths and found.file().encode() == text else None


def _decoded(word: str) -> bytes:
    try:
        return base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        return b""
