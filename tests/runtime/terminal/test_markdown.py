"""Tests of markdown as a terminal shows it."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.terminal.markdown import BOLD, CODE, DIM, ITALIC, RESET, MarkdownPainter

_STYLE = re.compile(r"\x1b\[\d*m")
_TEXTS = st.text(alphabet="ab1 \n*_`~#>-.)é漢", max_size=40)


def _painted(*pieces: str) -> str:
    painter = MarkdownPainter()
    return "".join(map(painter.feed, pieces)) + painter.finish()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 2 * 3 * 4 snake_case_name", "plain 2 * 3 * 4 snake_case_name"),
        ("a **b** c", f"a {RESET}{BOLD}**b**{RESET} c"),
        ("*b*", f"{RESET}{ITALIC}*b*{RESET}"),
        ("a `b*c*` d", f"a {CODE}`b*c*`{RESET} d"),
        ("# Title\nx", f"{BOLD}# Title{RESET}\nx"),
        ("#hash", "#hash"),
        ("- one\n1. two", f"{BOLD}-{RESET} one\n{BOLD}1.{RESET} two"),
        ("> said\nx", f"{DIM}> said{RESET}\nx"),
        (
            "```py\na*b*\n```\nc",
            f"{DIM}```py{RESET}\n{CODE}a*b*\n{RESET}{DIM}```{RESET}\nc",
        ),
        ("```a``` b", f"{CODE}```a```{RESET} b"),
        ("never **closed\nplain", f"never {RESET}{BOLD}**closed{RESET}\nplain"),
    ],
)
def test_marks_are_styled(text: str, shown: str) -> None:
    """Each stays, and what it marks looks so to its line's end at most."""
    assert _painted(text) == shown


@given(_TEXTS, st.lists(st.integers(0, 40)))
@example("```\n```", [])
@example("~~~\n``` \n~~~", [4])
def test_no_character_is_lost_wherever_a_text_is_cut(text: str, cuts: list[int]) -> None:
    """Without its styles the output is the text, and its pieces do not matter."""
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(places)]
    whole = _painted(text)
    assert _painted(*pieces) == whole
    assert _painted(*text) == whole
    assert _STYLE.sub("", whole) == text
