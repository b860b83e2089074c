"""Branding from two places."""

from builder.branding import merged_branding
from runtime.branding import Branding


def test_what_is_asked_for_wins() -> None:
    """A field that was asked for replaces the source's; the others stay."""
    brought = Branding(title="Old", greeting="Ahoy!", examples=("Who are you?",))
    asked = Branding(title="New", examples=("What can you do?", "Why?"))
    merged = merged_branding(brought, asked)
    assert merged == Branding(title="New", greeting="Ahoy!", examples=asked.examples)
    assert merged_branding(brought, Branding()) == brought
