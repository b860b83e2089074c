"""A model's card: the README of its repository, and what the lines in front of it tell."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

NAME = "README.md"
# What the hub calls a licence that is none of those it knows.
_NO_LICENCE = {"other", "unknown"}


@dataclass(frozen=True, slots=True)
class Card:
    """What an origin tells of a model.

    Args:
        text: The card itself, in Markdown; empty where there is none.
        license_id: The licence's short name; of several, with commas between them.
        license_name: What a licence is called that has no short name.
        license_link: Where its text is, as an address or a file's name.
        base_model: The models it was made from, as `OWNER/NAME`.
    """

    text: bytes = b""
    license_id: str = ""
    license_name: str = ""
    license_link: str = ""
    base_model: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read a card; one whose first lines make no sense tells nothing."""
        from huggingface_hub import ModelCard
        from yaml import YAMLError  # type: ignore[import-untyped] # it has no types

        # It warns of cards without those lines, which are no mistake.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        try:
            card = ModelCard(
                text.decode("utf-8-sig", errors="replace"), ignore_metadata_errors=True
            )
        except (YAMLError, ValueError, TypeError, RecursionError):
            return cls(text)
        return cls.of(vars(card.data), text)

    @classmethod
    def of(cls, data: Mapping[str, object], text: bytes = b"") -> Self:
        """Return a card with what the hub, or the card's first lines, tell by these names."""
        ids = [name for name in _texts(data.get("license")) if name not in _NO_LICENCE]
        return cls(
            text=text,
            license_id=", ".join(ids),
            license_name=", ".join(_texts(data.get("license_name"))),
            license_link=", ".join(_texts(data.get("license_link"))),
            base_model=_texts(data.get("base_model")),
        )


def _texts(value: object) -> list[str]:
    """Return what stands there as a list of texts, be it one or several."""
    values: Iterable[object] = value if isinstance(value, list) else [value]
    return [one.strip() for one in values if isinstance(one, str) and one.strip()]
