"""Tests of what is shown of an answer."""

import pytest

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta
from runtime.terminal.screen import AnswerView, Terminal

_ANSWER: list[Delta] = [
    ReasoningDelta("\nI th"),
    ReasoningDelta("ink\x1b[2J."),
    ContentDelta("\n\n**Yes**\x1b]0;x\x07"),
]


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [
        (Terminal(False, False), "\n\n**Yes**\x1b]0;x\x07\n"),
        (Terminal(True, False), "(thinking) I think␛[2J.\n\n**Yes**␛]0;x␇\n"),
        (
            Terminal(True, True),
            "\x1b[2mI think␛[2J.\x1b[0m\n\n\x1b[0m\x1b[1m**Yes**\x1b[0m␛]0;x␇\n",
        ),
    ],
    ids=["program", "plain", "styled"],
)
def test_an_answer(terminal: Terminal, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A program gets the answer as it is; a terminal is not told what to do by it."""
    view = AnswerView(terminal)
    for delta in _ANSWER:
        view.show(delta)
    view.finish()
    assert capsys.readouterr().out == shown


def test_thoughts_without_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Their style ends with them."""
    view = AnswerView(Terminal(True, True))
    view.show(ReasoningDelta("Hm"))
    view.finish()
    assert capsys.readouterr().out == "\x1b[2mHm\x1b[0m\n\n\n"
