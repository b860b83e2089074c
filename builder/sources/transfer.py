"""Bringing one file of the hub to the disk: it goes on where it stopped, and is checked."""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from builder import console
from builder.errors import SourceError
from builder.files import CHUNK_BYTES
from builder.locks import opened_alone
from builder.sources.patience import Patience

if TYPE_CHECKING:
    from hashlib import _Hash

_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file as the hub describes it.

    Args:
        name: Its path in the repository.
        url: Where it is had; that may lead elsewhere.
        size: How many bytes it has.
        etag: Its SHA-256 in hex; of small files, the digest git knows it by.
    """

    name: str
    url: str
    size: int
    etag: str

    def digest(self) -> "_Hash":
        """Return a digest that comes out as the tag, before the first byte; git's for others."""
        if _SHA256.fullmatch(self.etag):
            return hashlib.sha256()
        return hashlib.sha1(f"blob {self.size}\0".encode(), usedforsecurity=False)

    def is_met_by(self, digest: "_Hash") -> bool:
        """Say whether the bytes in a digest are the file's; of tags of other kinds nobody knows."""
        is_digest = _SHA256.fullmatch(self.etag) or _SHA1.fullmatch(self.etag)
        return not is_digest or digest.hexdigest() == self.etag


def transfer(wanted: Wanted, blob: Path, advance: Callable[[int], None]) -> None:
    """Bring a file to `blob`, which is there whole or not at all.

    What has come lies beside it, also after a failure, and is not fetched again.

    Args:
        wanted: The file.
        blob: Where it is to lie; its folder must be there.
        advance: Told the bytes of every piece, those of an earlier run first.

    Raises:
        SourceError: What came is not what the hub promised; it is thrown away.
        Exception: What the client library raised last.
    """
    part = blob.with_name(f"{blob.name}.incomplete")
    with opened_alone(
        part, "a+b", "Another build is downloading this file; waiting for it."
    ) as file:
        if blob.exists():  # Another build was faster.
            part.unlink(missing_ok=True)
            advance(wanted.size)
            return
        digest = _taken_up(file, wanted, advance)
        patience = Patience(was_reached=True)
        while file.tell() < wanted.size:
            begin = file.tell()
            try:
                digest = _receive(file, wanted, digest, advance)
            except Exception as error:
                if file.tell() > begin:
                    patience.renew()
                patience.wait(error)
        if file.tell() != wanted.size or not wanted.is_met_by(digest):
            part.unlink()
            raise SourceError(
                f"{wanted.name} did not come as the hub describes it: its digest is another.",
                hint="It was thrown away; run this again to fetch it anew.",
            )
        os.fsync(file.fileno())
        part.replace(blob)


def _taken_up(file: IO[bytes], wanted: Wanted, advance: Callable[[int], None]) -> "_Hash":
    """Return the digest of what an earlier run left, with the file at its end."""
    digest = wanted.digest()
    if file.seek(0, os.SEEK_END) > wanted.size:
        file.truncate(0)
    if done := file.seek(0, os.SEEK_END):
        console.info(f"Going on with {wanted.name} at {console.human_bytes(done)}.")
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        advance(len(chunk))
    return digest


def _receive(
    file: IO[bytes], wanted: Wanted, digest: "_Hash", advance: Callable[[int], None]
) -> "_Hash":
    """Append what one answer brings, and return the digest of all there is."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils._http import get_session, hf_raise_for_status

    start = file.tell()
    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    timeout_s = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with get_session().stream("GET", wanted.url, headers=headers, timeout=timeout_s) as answer:
        hf_raise_for_status(answer)
        if start and answer.status_code != 206:  # All of it comes again.
            file.truncate(0)
            file.seek(0)
            advance(-start)
            digest = wanted.digest()
        for chunk in answer.iter_raw():
            file.write(chunk)
            file.flush()
            digest.update(chunk)
            advance(len(chunk))
    if file.tell() < wanted.size:
        raise httpx2.RemoteProtocolError("it ended too early")
    return digest
