"""What a safetensors file holds, by its header alone."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import DamagedFileError

_LENGTH_BYTES = 8
# The format's own limit.
_MAX_HEADER_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor by its name in the checkpoint, with its type and how many elements it has."""

    name: str
    dtype: str
    num_elements: int


def read_tensors(path: Path) -> list[StoredTensor]:
    """Return the tensors of a file.

    Raises:
        DamagedFileError: The file is cut short, or no safetensors file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES or length > _MAX_HEADER_BYTES:
            raise _not_one(path)
        header = file.read(length)
    if len(header) < length:
        raise _cut_short(path)
    try:
        entries = json.loads(header)
        infos = {name: info for name, info in entries.items() if name != "__metadata__"}
        ends = [info["data_offsets"][1] for info in infos.values()]
        tensors = [
            StoredTensor(name, info["dtype"], math.prod(info["shape"]))
            for name, info in infos.items()
        ]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise _not_one(path) from error
    if size < _LENGTH_BYTES + length + max(ends, default=0):
        raise _cut_short(path)
    return tensors


def _not_one(path: Path) -> DamagedFileError:
    return DamagedFileError(f"{path} is no safetensors file.", hint="Download it again.")


def _cut_short(path: Path) -> DamagedFileError:
    return DamagedFileError(f"{path} is cut short.", hint="Download it again.")
