"""A GGUF of one file that goes into a solofile beside its model."""

from dataclasses import dataclass
from pathlib import PurePath

from builder.errors import SourceError
from builder.gguf.facts import licence_card
from builder.gguf.header import read_header
from builder.sources.source import Carried, LicenceFile, ModelFile, Source
from builder.terms import find_terms
from runtime.manifest import Terms


@dataclass(frozen=True, slots=True)
class Companion:
    """The file on this machine, its licences, named after it, and what they ask."""

    file: ModelFile
    licences: list[LicenceFile]
    terms: list[Terms]


def fetch_companion(source: Source, kind: str) -> Companion:
    """Bring a companion to this machine.

    Args:
        source: Where it comes from.
        kind: What people know its like as.

    Raises:
        SourceError: It could not be had, or is split.
        DamagedFileError: It is no GGUF, or cut short.
    """
    fetched = source.fetch()
    file = fetched.files[0]
    if len(fetched.files) != 1:
        raise SourceError(
            f"The {kind} {file.name} has several parts.", hint="Name one that is a single file."
        )
    stem = PurePath(file.name).stem
    licences = [LicenceFile(f"{stem}-{one.name}", one.text) for one in fetched.licences]
    cards = [licence_card(read_header(file.data)), fetched.card]
    terms = find_terms(cards, fetched.licences, of=file.name)
    if isinstance(source, Carried):  # What tells of no licence is under the model's.
        terms = [one for one in terms if one.license]
    return Companion(file, licences, terms)
