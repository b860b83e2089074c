"""Model cards: what the lines in front of them tell."""

import pytest

from builder.sources.card import Card

CARD = b"""---
license: other
license_name: tiny-license
license_link: LICENSE.md
base_model:
- acme/Tiny
- acme/Small
---
# Tiny
"""


def test_its_first_lines() -> None:
    """Licence and base models are read; a licence called `other` has no short name."""
    assert Card.read(CARD) == Card(
        CARD, "", "tiny-license", "LICENSE.md", ["acme/Tiny", "acme/Small"]
    )


def test_several_licences() -> None:
    """All of them are told."""
    assert Card.of({"license": ["mit", "apache-2.0"]}).license_id == "mit, apache-2.0"


@pytest.mark.parametrize(
    "text",
    [b"", b"# Tiny\n", b"\xff\xfe", b"---\n- 1\n---\n", b"---\nlicense: [mit\n---\n",
     b"---\n" + b"[" * 5000 + b"\n---\n", b"---\nlicense: 7\nbase_model: {a: b}\n---\n"],
)  # fmt: skip
def test_one_without_sense(text: bytes) -> None:
    """It is kept, and tells nothing."""
    assert Card.read(text) == Card(text)
