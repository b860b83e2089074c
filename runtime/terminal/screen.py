"""What is shown of an answer while it comes."""

import os
import sys

import msgspec

from runtime.chat.deltas import Delta, ReasoningDelta, ToolCallDelta
from runtime.terminal.control_characters import harmless
from runtime.terminal.markdown import DIM, RESET, MarkdownPainter


class Terminal(msgspec.Struct, frozen=True):
    """What stdout is.

    Args:
        is_terminal: Whether a person looks at it; else a program reads it.
        has_styles: Whether it can, and may, show bold and coloured text.
    """

    is_terminal: bool
    has_styles: bool

    @classmethod
    def of_stdout(cls) -> "Terminal":
        """Return what it is, by https://no-color.org and `TERM`."""
        is_terminal = sys.stdout.isatty()
        is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return cls(is_terminal, is_terminal and not is_plain)


class AnswerView:
    """Writes one answer to stdout; to a program the bare answer, without what was thought."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._painter = MarkdownPainter() if terminal.has_styles else None
        self._is_thinking = False

    def show(self, delta: Delta) -> None:
        """Write more of the answer."""
        if isinstance(delta, ToolCallDelta):
            return
        if not self._terminal.is_terminal:
            if not isinstance(delta, ReasoningDelta):
                self._write(delta.text)
            return
        text = harmless(delta.text)
        if isinstance(delta, ReasoningDelta):
            self._think(text)
            return
        if self._is_thinking:
            self._end_thinking()
            text = text.lstrip("\n")
        self._write(self._painter.feed(text) if self._painter else text)

    def finish(self) -> None:
        """End the answer, and its line."""
        if self._is_thinking:
            self._end_thinking()
        if self._painter:
            self._write(self._painter.finish())
        self._write("\n")

    def _think(self, text: str) -> None:
        if not self._is_thinking:
            self._is_thinking = True
            text = text.lstrip("\n")
            if self._terminal.has_styles:
                self._write(DIM)
            else:
                self._write("(thinking) ")
        self._write(text)

    def _end_thinking(self) -> None:
        self._is_thinking = False
        self._write(f"{RESET}\n\n" if self._terminal.has_styles else "\n\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
