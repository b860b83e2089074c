"""The adapters of a rebased solofile, and the licences of all that is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from builder.companions.adapters import FetchedAdapters, fetch_adapters
from builder.gguf.facts import licence_card
from builder.gguf.header import read_header
from builder.rebase.base import Base
from builder.rebase.order import RebaseOrder
from builder.sources.source import Carried, LicenceFile, ModelFile
from builder.terms import find_terms
from runtime.manifest import Terms


@dataclass(frozen=True, slots=True)
class Papers:
    """What goes into a solofile besides its model.

    Args:
        adapters: The LoRA adapters, in the order of their numbers.
        licences: The licence texts, the model's own first.
        terms: What they ask of those who pass it on.
    """

    adapters: list[ModelFile]
    licences: list[LicenceFile]
    terms: list[Terms]


def rebased_papers(base: Base, order: RebaseOrder) -> Papers:
    """Return what is in a solofile, with what is asked for, in the order in which `build` has it.

    Args:
        base: The solofile.
        order: What is to become of it.

    Raises:
        SourceError: An adapter could not be had, is split, or two have the same name.
        DamagedFileError: A file is no GGUF.
        UnsupportedError: A file is no LoRA adapter, or for another architecture.
    """
    old = base.fetched.adapters
    kept = old if order.keeps_adapters else []
    found = fetch_adapters(
        [*map(Carried, kept), *order.adapters], architecture=base.manifest.model.architecture
    )
    texts = _by_companion(base)
    own = list({one.name: one for one in [*texts.pop(""), *order.licences]}.values())
    of_adapters = {one.name: texts.pop(one.name) for one in old}
    known = {one.text for one in own}
    licences = [
        *own,
        *(text for one in kept for text in of_adapters[one.name]),
        *(one for one in found.licences if one.text not in known),
        *(text for of_other in texts.values() for text in of_other),
    ]
    return Papers(found.files, licences, _terms(base, order, own, found))


def _by_companion(base: Base) -> dict[str, list[LicenceFile]]:
    """Return licence texts by the companion whose name theirs begins with; the model's by none."""
    fetched, projector = base.fetched, base.fetched.projector
    names = [one.name for one in [*fetched.adapters, fetched.draft] if one]
    names += [projector.file.name] if isinstance(projector, Carried) else []
    found: dict[str, list[LicenceFile]] = {name: [] for name in ["", *names]}
    for one in fetched.licences:
        of = [name for name in names if one.name.startswith(f"{PurePath(name).stem}-")]
        found[max(of, key=len, default="")].append(one)
    return found


def _terms(
    base: Base, order: RebaseOrder, licences: Sequence[LicenceFile], found: FetchedAdapters
) -> list[Terms]:
    old = base.manifest.terms
    own = [one for one in old if not one.of]
    if order.licences:
        header = read_header(base.fetched.files[0].data)
        own = find_terms([licence_card(header), base.fetched.card], licences)
    known = {one.license.lower() for one in own}
    before = {one.name for one in base.fetched.adapters}
    kept = before if order.keeps_adapters else set()
    return [
        *own,
        *(one for one in old if one.of in kept),
        *(one for one in found.terms if one.of not in kept and one.license.lower() not in known),
        *(one for one in old if one.of and one.of not in before),
    ]
