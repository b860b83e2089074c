"""Signing solofiles: the manifest inside, and the whole file beside it."""

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

from builder.change.in_place import changed_in_place
from builder.change.plan import Piece
from builder.file_range import FileRange
from builder.files import CHUNK_BYTES, atomic_file
from builder.sign.secret_key import SecretKey
from runtime.container import MANIFEST_NAME, SIGNATURE_NAME, Container
from runtime.minisign import digest_of
from runtime.seal import UNTRUSTED_COMMENT
from runtime.zip_records import Entry, directory_and_end

# What minisign itself puts behind a name where the signature is over a digest.
_COMMENT = "file:{}\thashed"


def manifest_signature(key: SecretKey, manifest: bytes) -> bytes:
    """Return the text of the entry that signs a manifest."""
    comment = _COMMENT.format(MANIFEST_NAME)
    return (
        key.sign(digest_of(manifest), comment=comment, untrusted=UNTRUSTED_COMMENT).file().encode()
    )


def embed_signature(path: Path, key: SecretKey) -> None:
    """Put a signature over its manifest into a solofile, in the place of the one it has.

    It becomes the last entry, so only the directory behind the others is written anew.

    Args:
        path: A solofile that was found to be sound, and is held.
        key: Who signs.

    Raises:
        DiskError: The file cannot be written, or the disk is full.
        UsageError: It runs at this moment.
    """
    with Container.open(path) as container:
        entries = [one for one in container.entries.values() if one.name != SIGNATURE_NAME]
        data = manifest_signature(key, container.read(MANIFEST_NAME))
    entry = Entry(SIGNATURE_NAME, entries[-1].end, len(data), zlib.crc32(data))
    pieces = [
        Piece(0, FileRange(path, 0, entry.header_offset)),
        Piece(entry.header_offset, entry.local_header() + data),
        Piece(entry.end, directory_and_end([*entries, entry], entry.end)),
    ]
    with changed_in_place(path, pieces):
        pass


def detached_path(path: Path) -> Path:
    """Return where the signature over a whole file lies, as `minisign -Vm FILE` looks for it."""
    return path.with_name(f"{path.name}.minisig")


def write_detached(
    path: Path, key: SecretKey, *, advance: Callable[[int], None] = lambda _: None
) -> Path:
    """Write a signature over a whole file beside it.

    Args:
        path: The file.
        key: Who signs.
        advance: Told the bytes of each chunk read.

    Returns:
        The signature's file.

    Raises:
        DiskError: It cannot be written.
    """
    digest = hashlib.blake2b()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            advance(len(chunk))
    beside = detached_path(path)
    comment = _COMMENT.format(path.name)
    signature = key.sign(digest.digest(), comment=comment, untrusted=f"signature of {path.name}")
    with atomic_file(beside) as file:
        file.write(signature.file().encode())
    return beside
