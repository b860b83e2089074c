"""What a manifest does not tell the origin of: a rebuild takes it from the solofile as it is."""

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from builder.companions.companions import Companions
from builder.icon import IconFile
from builder.sources.card import Card
from builder.sources.solofile import Solofile
from builder.sources.source import Carried as CarriedFile
from builder.sources.source import FetchedModel
from runtime.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Carried:
    """Parts of a solofile that are put into the new one as they are.

    Args:
        fetched: The model with what its papers lack.
        companions: What goes beside it.
        icon: Its icon.
        names: The parts, as people know them.
    """

    fetched: FetchedModel
    companions: Companions
    icon: IconFile | None
    names: list[str]


def carry(fetched: FetchedModel, solofile: Solofile, manifest: Manifest) -> Carried:
    """Add to a model that was fetched anew what only the old solofile has.

    Args:
        fetched: The model from its origin.
        solofile: The solofile that is made again.
        manifest: What it tells.

    Raises:
        DamagedFileError: What is taken from it is not what its manifest tells of.
    """
    old = solofile.fetch()
    projector = old.projector.file if isinstance(old.projector, CarriedFile) else None
    known = {one.name for one in fetched.licences}
    licences = [one for one in old.licences if one.name not in known]
    companions = Companions(
        adapters=old.adapters,
        draft=old.draft,
        projector=projector,
        licences=licences,
        terms=[one for one in manifest.terms if one.of],
        notes=[],
    )
    has_card = fetched.card != Card() and (bool(fetched.card.text) or not old.card.text)
    names = [
        facts.name
        for facts in manifest.entries
        if facts.role in ("adapter", "draft", "projector", "icon")
        or (facts.role == "licence" and PurePosixPath(facts.name).name not in known)
        or (facts.role == "card" and not has_card)
    ]
    names += ["how alike converted model and original are"] if manifest.parity else []
    model = replace(fetched, card=fetched.card if has_card else old.card, settings={})
    return Carried(model, companions, old.icon, names)
