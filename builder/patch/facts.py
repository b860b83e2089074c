"""What a patch tells of itself, in its entry `patch.json`."""

from pathlib import Path
from typing import Annotated

import msgspec

from runtime.errors import DamagedFileError
from runtime.manifest import require_known_format
from runtime.zip_records import COPY_AGAIN

FACTS_NAME = "patch.json"
# What entries with new bytes are called begins so.
PREFIX = "new/"
FORMAT_VERSION = "1.0"
# Padding is shorter; more zeros than that are data.
MAX_PADDING_BYTES = 16 << 20


# A patch may come from anybody.
_Count = Annotated[int, msgspec.Meta(ge=0)]
_Size = Annotated[int, msgspec.Meta(gt=0)]


class End(msgspec.Struct, frozen=True):
    """A solofile that a patch begins or ends with: its file's name, its manifest's SHA-256."""

    name: str
    manifest_sha256: str


class Piece(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run of the new file's bytes; they are zeros where no place is named.

    Args:
        size: How many there are.
        part: The part of the base that has them.
        data: The entry of the patch that has them.
        offset: Where they begin there, in bytes.
    """

    size: _Size
    part: str = ""
    data: str = ""
    offset: _Count = 0


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry of a patch with bytes of the new file.

    Args:
        name: The entry.
        sha256: Its digest as it lies in the patch, in hex.
        size: How many bytes come out of it.
        is_packed: Whether it is a zstd frame.
        dictionary: The part of the base whose first bytes zstd was given as a dictionary.
        dictionary_size: How many of them.
    """

    name: str
    sha256: str
    size: _Size
    is_packed: bool = False
    dictionary: str = ""
    dictionary_size: _Count = 0


class PatchFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done.

    Args:
        format_version: Of the patch; a newer major one is refused.
        base: The file it is for.
        new: The file that comes out.
        data: The entries with new bytes.
        solofile: All of the new file, in order.
        weights: All of the file beside it; None where there is none.
        has_same_weights: Whether the base has that very file beside it.
        detached: The entry with the signature that lay beside the new file; empty without one.
    """

    format_version: str = FORMAT_VERSION
    base: End
    new: End
    data: list[Data]
    solofile: Annotated[list[Piece], msgspec.Meta(min_length=1)]
    weights: list[Piece] | None = None
    has_same_weights: bool = False
    detached: str = ""


def decode_facts(text: bytes, path: Path) -> PatchFacts:
    """Return what the entry says.

    Args:
        text: The entry.
        path: The patch.

    Raises:
        DamagedFileError: It makes no sense.
        UnsupportedError: Its format is newer than this version reads.
    """
    try:
        require_known_format(text, f"The patch {path}", FORMAT_VERSION)
        return msgspec.json.decode(text, type=PatchFacts)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DamagedFileError(
            f"{FACTS_NAME} in {path} makes no sense: {error}.", hint=COPY_AGAIN
        ) from error
