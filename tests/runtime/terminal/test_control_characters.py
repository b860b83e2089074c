"""Tests of texts made harmless for a terminal."""

import re
import sys

from runtime.terminal.control_characters import harmless


def test_escape_sequences_are_shown_and_not_obeyed() -> None:
    """A title, a colour, and what writes over the line."""
    assert harmless("\x1b]0;x\x07 \x1b[2J\x9b31m a\rb\x7f\ud800") == "␛]0;x␇ ␛[2J�31m ab␡�"


def test_no_control_character_is_left() -> None:
    """But line breaks and tabs."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    shown = harmless(everything)
    assert set(re.findall(r"[\x00-\x1f\x7f-\x9f]", shown)) == {"\n", "\t"}
    assert shown.encode()
    assert harmless("Ein süßes 漢字 🙂\n\tx") == "Ein süßes 漢字 🙂\n\tx"
