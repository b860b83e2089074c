"""What the licences of a solofile's models ask of those who pass it on."""

import re
from collections.abc import Iterable, Sequence

from builder.errors import LicenceError
from builder.gguf.facts import licence_card
from builder.gguf.header import read_header
from builder.licences import ALLOWED, FORBIDDEN, UNKNOWN, find_licence, identify
from builder.sources.card import Card
from builder.sources.source import FetchedModel, LicenceFile
from runtime.manifest import Terms

# How SPDX's expressions, cards and GGUF headers write several.
_BETWEEN = re.compile(r"\s*,\s*|\s+(?:and|or|with)\s+", re.IGNORECASE)


def all_terms(model: FetchedModel, companions: Iterable[Terms]) -> list[Terms]:
    """Return the terms of a model, and those of its companions that are under other ones.

    Raises:
        OSError: Its file cannot be read.
    """
    cards = [licence_card(read_header(model.files[0].data)), model.card]
    own = find_terms(cards, model.licences)
    known = {one.license.lower() for one in own}
    return own + [one for one in companions if one.license.lower() not in known]


def find_terms(
    cards: Iterable[Card], licences: Sequence[LicenceFile], *, of: str = ""
) -> list[Terms]:
    """Return the terms that a model is under.

    Args:
        cards: What its header and its origin tell; where they differ, all of it counts.
        licences: The texts that came with it, which tell where nothing else does.
        of: The file of a companion; empty for the model itself.
    """
    told: dict[str, tuple[str, Card]] = {}
    for card in cards:
        names = _BETWEEN.split(card.license_id.strip("() ")) if card.license_id else []
        for name in filter(None, names or [card.license_name]):
            told.setdefault(name.lower(), (name, card))
    if not told:
        found = filter(None, (identify(one.text) for one in licences))
        told = {name: (name, Card()) for name in found}
    if not told:
        what = of or "the model"
        sentence = f"No licence of {what} is named, so nothing says whether it may be passed on."
        return [Terms(license="", passing_on=UNKNOWN, sentence=sentence, of=of)]
    return [_terms(name, card, of=of, has_text=bool(licences)) for name, card in told.values()]


def sentences(terms: Iterable[Terms]) -> list[str]:
    """Return what must be said of terms before a solofile is made."""
    return [one.sentence for one in terms if one.passing_on != ALLOWED]


def require_accepted(terms: Iterable[Terms], *, is_accepted: bool) -> None:
    """Check that nothing is packed unknowingly that must not be passed on.

    Raises:
        LicenceError: A licence forbids it, and that was not accepted.
    """
    for one in terms:
        if one.passing_on == FORBIDDEN and not is_accepted:
            raise LicenceError(
                one.sentence, hint="Add --accept-license to make a solofile for your own use."
            )


def _terms(name: str, card: Card, *, of: str, has_text: bool) -> Terms:
    licence, start = find_licence(name), f"{of}: " if of else ""
    if licence is None:
        place = f" ({card.license_link})" if card.license_link else ""
        sentence = (
            f"{start}The licence {name} is not known here; read it{place} before you pass the "
            "solofile on."
        )
        return Terms(license=name, passing_on=UNKNOWN, sentence=sentence, of=of)
    sentence = f"{start}{licence.name} {licence.asks}."
    if not has_text and licence.passing_on != FORBIDDEN:
        sentence += " Its text did not come with the model."
    return Terms(license=name, passing_on=licence.passing_on, sentence=sentence, of=of)
