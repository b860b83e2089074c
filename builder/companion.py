"""A GGUF of one file that goes into a solofile beside its model."""

from dataclasses import dataclass
from pathlib import PurePath

from builder.errors import SourceError
from builder.sources.source import LicenceFile, ModelFile, Source


@dataclass(frozen=True, slots=True)
class Companion:
    """The file on this machine, and its licences, named after it."""

    file: ModelFile
    licences: list[LicenceFile]


def fetch_companion(source: Source, kind: str) -> Companion:
    """Bring a companion to this machine.

    Args:
        source: Where it comes from.
        kind: What people know its like as.

    Raises:
        SourceError: It could not be had, or is split.
    """
    fetched = source.fetch()
    file = fetched.files[0]
    if len(fetched.files) != 1:
        raise SourceError(
            f"The {kind} {file.name} has several parts.", hint="Name one that is a single file."
        )
    stem = PurePath(file.name).stem
    licences = [LicenceFile(f"{stem}-{one.name}", one.text) for one in fetched.licences]
    return Companion(file, licences)
