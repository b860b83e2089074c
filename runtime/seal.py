"""The signature inside a solofile: whose it is, and whether it holds."""

from collections.abc import Collection

import msgspec

from runtime.container import MANIFEST_NAME, SIGNATURE_NAME, Container
from runtime.minisign import PublicKey, digest_of, key_number, parse_signature

# What nobody vouches for is the same in all, so that each byte is accounted for.
UNTRUSTED_COMMENT = "signature of a solofile's manifest"


class Seal(msgspec.Struct, frozen=True):
    """A signature over the manifest, and with it over all that has a digest there.

    Args:
        key: The number of the key that it says it is by.
        is_checked: Whether the key was at hand.
        is_valid: Whether that key made it for this manifest; False as long as it is not checked.
        owner: What is said of the key where it lies; empty without one.
    """

    key: str
    is_checked: bool
    is_valid: bool
    owner: str = ""


def is_readable(container: Container) -> bool:
    """Say whether the signature inside, if there is one, is written as it should be."""
    if SIGNATURE_NAME not in container.entries:
        return True
    signature = parse_signature(container.read(SIGNATURE_NAME))
    return signature is not None and signature.untrusted == UNTRUSTED_COMMENT


def read_seal(container: Container, keys: Collection[PublicKey]) -> Seal | None:
    """Return what is to be said of the signature inside; None where there is none.

    Args:
        container: A solofile whose signature is readable.
        keys: Those at hand.

    Raises:
        DamagedFileError: The manifest or the signature is damaged.
    """
    if SIGNATURE_NAME not in container.entries:
        return None
    signature = parse_signature(container.read(SIGNATURE_NAME))
    assert signature, "its text was found to be one"
    number = key_number(signature.key_id)
    known = [key for key in keys if key.id == signature.key_id]
    if not known:
        return Seal(number, is_checked=False, is_valid=False)
    digest = digest_of(container.read(MANIFEST_NAME))
    valid = next((key for key in known if signature.is_by(key, digest)), None)
    return Seal(number, is_checked=True, is_valid=bool(valid), owner=(valid or known[0]).comment)
