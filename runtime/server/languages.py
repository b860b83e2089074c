"""The languages of the page: a file for each, chosen by a cookie or by what the browser prefers."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
from starlette.requests import Request

DEFAULT = "en"
COOKIE = "language"


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """One language.

    Args:
        name: What its speakers call it.
        direction: `ltr` or `rtl`.
        texts: The page's texts by their keys; English ones stand for those it lacks.
    """

    name: str
    direction: str
    texts: Mapping[str, str]


@cache
def languages(folder: Path) -> dict[str, Language]:
    """Return the languages that files in a folder hold, by their tags (BCP 47), sorted."""
    files = sorted(folder.glob("*.json"))
    read = {file.stem: msgspec.json.decode(file.read_bytes(), type=Language) for file in files}
    english = read[DEFAULT].texts
    return {
        tag: msgspec.structs.replace(language, texts={**english, **language.texts})
        for tag, language in read.items()
    }


def choose_language(request: Request, known: Mapping[str, Language]) -> str:
    """Return the tag of the language to answer in."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in known:
        return chosen
    for wanted in _preferred(request.headers.get("Accept-Language", "")):
        if tag := _match(wanted, known):
            return tag
    return DEFAULT


def _preferred(header: str) -> Iterator[str]:
    """Yield the languages that a browser names, the dearest first (RFC 9110, 12.5.4)."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((float(weight or 1), tag.strip().lower()))
        except ValueError:
            continue
    for rank, tag in sorted(weighted, key=lambda one: -one[0]):
        if rank > 0:
            yield tag


def _match(wanted: str, known: Mapping[str, Language]) -> str:
    """Return the known language that comes closest: the same, else one of its family; or none."""
    same = [tag for tag in known if tag.lower() == wanted]
    family = [tag for tag in known if _family(tag.lower()) == _family(wanted)]
    return next(iter([*same, *family]), "")


def _family(tag: str) -> str:
    return tag.partition("-")[0]
