"""The papers beside a model: its licences and its card."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from builder.gguf.facts import model_name
from builder.sources import card
from builder.sources.card import Card
from builder.sources.source import LicenceFile

MAX_BYTES = 1 << 20
_LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|USE_POLICY)([-_. ][-\w. ]*)?", re.IGNORECASE)
_NO_TEXTS = {".gguf", ".json", ".py", ".safetensors"}
# Files that stand beside a model, whatever it is called.
_COMPANIONS = ("mmproj", "imatrix")


@dataclass(frozen=True, slots=True)
class Papers:
    """What tells of a model and was found with it."""

    licences: list[LicenceFile] = field(default_factory=list)
    card: Card = field(default_factory=Card)


def is_licence(name: str) -> bool:
    """Say whether a file's name, without a folder, is that of a licence's text."""
    return bool(_LICENCE.fullmatch(name)) and PurePath(name).suffix.lower() not in _NO_TEXTS


def papers_in(folder: Path) -> Papers:
    """Return the papers in a folder that is a model's own."""
    files = [path for path in sorted(folder.iterdir()) if _is_small_file(path)]
    cards = [Card.read(path.read_bytes()) for path in files if path.name == card.NAME]
    licences = [
        LicenceFile(path.name, path.read_bytes()) for path in files if is_licence(path.name)
    ]
    return Papers(licences, next(iter(cards), Card()))


def papers_beside(folder: Path, model: str) -> Papers:
    """Return the papers that are a model's own in the folder where it lies.

    A folder of many models and other things may hold a licence of something else. So all papers
    count where there is a card such as hub repositories have and no other model; else only
    `MODEL.LICENSE` and `MODEL.LICENCE` do, with or without the model's `.gguf`.

    Args:
        folder: Where it lies.
        model: Its file's name, or that of its first part.
    """
    if _has_card(folder) and _holds_only(folder, model):
        return papers_in(folder)
    stem = model.removesuffix(".gguf")
    names = [f"{start}.{word}" for start in (model, stem) for word in ("LICENSE", "LICENCE")]
    found = [folder / name for name in names]
    return Papers([LicenceFile(one.name, one.read_bytes()) for one in found if _is_small_file(one)])


def _has_card(folder: Path) -> bool:
    path = folder / card.NAME
    return _is_small_file(path) and path.read_bytes().lstrip().startswith(b"---")


def _holds_only(folder: Path, model: str) -> bool:
    return {model_name(name) for name in _models(folder)} <= {model_name(model)}


def _models(folder: Path) -> Iterable[str]:
    for path in folder.glob("*.gguf"):
        if not any(word in path.name.lower() for word in _COMPANIONS):
            yield path.name


def _is_small_file(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= MAX_BYTES
