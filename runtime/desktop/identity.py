"""What a solofile is called where a desktop or a system keeps things of many programs."""

import hashlib
import os
import re
from pathlib import Path

import msgspec

from runtime.errors import UsageError
from runtime.payload import Payload, find_payload, own_path

_MAX_NAME = 40


class Identity(msgspec.Struct, frozen=True):
    """A solofile as others know it.

    Args:
        id: Of ASCII letters, digits and hyphens; that of another path is another.
        title: What people call it, on one line.
        path: Where it lies.
    """

    id: str
    title: str
    path: Path


def own_identity() -> tuple[Identity, Payload]:
    """Return who we are, and what is inside.

    Raises:
        UsageError: This is no solofile, or its path is one that no desktop could keep.
        DamagedFileError: It is damaged.
    """
    path = own_path()
    if path is None:
        raise UsageError("Only a solofile can be installed, and this was run from source.")
    payload = find_payload(None)
    return identify(path, payload.branding.title or payload.name), payload


def identify(path: Path, title: str) -> Identity:
    """Return what a solofile at a path is known as.

    Raises:
        UsageError: The path has characters that the files of desktops cannot hold.
    """
    text = str(path)
    if not text.isprintable():
        raise UsageError(
            f"{text!r} has characters that are no text.", hint="Rename it, and try again."
        )
    name = re.sub("[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:_MAX_NAME].strip("-")
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    shown = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    return Identity("-".join(filter(None, ["solofile", name, digest])), shown, path)
