"""The builder's colour as the page's accent."""

import re

import pytest

from runtime.server.brand import contrast, style_sheet

GROUNDS = [(247, 249, 248), (18, 22, 21)]


@pytest.mark.parametrize(
    "color", ["#000000", "#ffffff", "#ffff00", "#14695a", "#7F7F7F", "#0000ff"]
)
def test_any_colour_stays_readable(color: str) -> None:
    """On the light and on the dark ground the accent has a contrast of 4.5, and so has its text."""
    css = style_sheet(color)
    pairs = re.findall(r"--accent: #(\w{6}); --on-accent: #(\w{6})", css)
    assert len(pairs) == 2
    for ground, pair in zip(GROUNDS, pairs, strict=True):
        accent, ink = (tuple(bytes.fromhex(value)) for value in pair)
        assert contrast(accent, ground) >= 4.5
        assert contrast(accent, ink) >= 4.5


def test_a_readable_colour_is_taken_as_it_is() -> None:
    """Where nothing has to change, the builder's own colour is there."""
    assert "--accent: #14695a; --on-accent: #ffffff" in style_sheet("#14695a")


def test_no_colour_changes_nothing() -> None:
    """Without a colour the page keeps its own."""
    assert style_sheet("") == ""
