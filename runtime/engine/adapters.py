"""LoRA adapters: which there are, and how strongly a request wants each."""

import math
from collections.abc import Mapping
from collections.abc import Sequence as ReadOnlyList
from pathlib import Path

import msgspec

from runtime.errors import RequestError, UsageError


class AdapterFile(msgspec.Struct, frozen=True):
    """Where an adapter's GGUF lies, and its scale for requests that ask for none.

    Args:
        path: The file it is, or is inside of.
        name: What people know it by.
        offset: Its first byte, in bytes from the file's start.
        scale: How strongly it is applied; 0 is not at all.

    Raises:
        UsageError: The scale is no finite number.
    """

    path: Path
    name: str
    offset: int = 0
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Check the scale."""
        if not math.isfinite(self.scale):
            raise UsageError(f"The scale of the adapter {self.name} is {self.scale}.")


class AdapterScale(msgspec.Struct, frozen=True):
    """An adapter's number and how strongly it is applied, which is not 0."""

    id: int
    scale: float


# What a sequence is computed with, ordered by number; equal sets are equal keys.
AdapterSet = tuple[AdapterScale, ...]
NO_ADAPTERS: AdapterSet = ()


class Adapters:
    """The adapters of a run, by number, with the scales that hold where a request says nothing."""

    def __init__(self, files: ReadOnlyList[AdapterFile] = ()) -> None:
        self.files = tuple(files)
        self.scales = tuple(file.scale for file in files)

    def set_scales(self, asked: Mapping[int, float]) -> None:
        """Let these scales hold from now on, and 0 for the adapters not named.

        Raises:
            RequestError: There is no such adapter.
        """
        self.scales = self._complete(asked)

    def resolve(self, asked: Mapping[int, float] | None) -> AdapterSet:
        """Return what a request is computed with.

        Args:
            asked: Scales by adapter number, 0 for those not named; None takes the ones that hold.

        Raises:
            RequestError: There is no such adapter.
        """
        scales = self.scales if asked is None else self._complete(asked)
        return tuple(AdapterScale(id, scale) for id, scale in enumerate(scales) if scale)

    def _complete(self, asked: Mapping[int, float]) -> tuple[float, ...]:
        unknown = sorted(asked.keys() - set(range(len(self.files))))
        if unknown:
            known = f"they are 0 to {len(self.files) - 1}" if self.files else "there are none"
            raise RequestError(f"There is no LoRA adapter {unknown[0]}; {known}.")
        return tuple(asked.get(id, 0.0) for id in range(len(self.files)))
