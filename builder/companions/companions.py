"""What goes into a solofile beside its weights: what came with them, and what is named."""

from collections.abc import Sequence as ReadOnlyList
from dataclasses import dataclass

from builder import console
from builder.companions.adapters import fetch_adapters
from builder.companions.companion import Companion
from builder.companions.draft import fetch_draft
from builder.companions.projector import fetch_projector
from builder.sources.source import Carried, FetchedModel, LicenceFile, ModelFile, Source
from runtime.errors import UnsupportedError
from runtime.manifest import Terms


@dataclass(frozen=True, slots=True)
class Companions:
    """Files on this machine that were checked to be this model's.

    Args:
        adapters: The LoRA adapters, in the order of their numbers.
        draft: The draft model.
        projector: The projector.
        licences: Their licences.
        terms: What these ask.
        notes: Sentences about what came with the model and is left out.
    """

    adapters: list[ModelFile]
    draft: ModelFile | None
    projector: ModelFile | None
    licences: list[LicenceFile]
    terms: list[Terms]
    notes: list[str]


def fetch_companions(
    model: FetchedModel,
    *,
    architecture: str,
    adapters: ReadOnlyList[Source],
    draft: Source | None,
    projector: Source | None,
    has_projector: bool = True,
) -> Companions:
    """Bring a model's companions to this machine.

    Args:
        model: The model; a draft or projector that came with it yields to one that is named.
        architecture: The model's.
        adapters: Where more adapters come from.
        draft: Where a draft model comes from.
        projector: Where a projector comes from.
        has_projector: Whether the one that came with the model is wanted, too.

    Raises:
        SourceError: One could not be had, or is split.
        DamagedFileError: One is no GGUF, or cut short.
        UnsupportedError: One cannot be this model's.
    """
    target = model.files[0].data
    sources = [*map(Carried, model.adapters), *adapters]
    fetched = fetch_adapters(sources, architecture=architecture)
    if draft is None and model.draft:
        draft = Carried(model.draft)
    found_draft = fetch_draft(draft, target=target) if draft else None
    notes: list[str] = []
    found_projector = None
    if projector:
        found_projector = fetch_projector(projector, target=target)
    elif has_projector:
        found_projector = _own_projector(model, notes)
    found = [one for one in (found_draft, found_projector) if one]
    known = {one.text for one in model.licences}
    licences = sum((one.licences for one in found), fetched.licences)
    return Companions(
        adapters=fetched.files,
        draft=found_draft.file if found_draft else None,
        projector=found_projector.file if found_projector else None,
        licences=[one for one in licences if one.text not in known],
        terms=sum((one.terms for one in found), fetched.terms),
        notes=notes,
    )


def _own_projector(model: FetchedModel, notes: list[str]) -> Companion | None:
    """Return the projector that belongs to the model; without one of use it still reads texts."""
    if model.projector is None:
        return None
    console.info(f"Projector: {model.projector.resolve().label}")
    try:
        return fetch_projector(model.projector, target=model.files[0].data)
    except UnsupportedError as error:
        notes.append(f"{error.message} It is left out.")
        return None
