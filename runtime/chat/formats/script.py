"""Reading a growing text by a script that waits, wherever it is, until there is more of it."""

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from runtime.chat.deltas import Delta

# What stands between two markers in a call, a name or an id, is not longer.
MAX_NAME_CHARS = 300

T = TypeVar("T")

Script = Generator[Delta | None, None, T]
"""Yields deltas, and None when it needs more text; returns what it found."""


class Text:
    """A text that grows at its end while it is read from its beginning.

    Attributes:
        at: How many characters were read; may be set back to where it was.
        is_over: Whether no more will come.
    """

    def __init__(self) -> None:
        self.at = 0
        self.is_over = False
        self._kept = ""
        # Where in the whole text the kept part begins.
        self._start = 0

    @property
    def rest(self) -> str:
        """What was not read yet."""
        return self._kept[self.at - self._start :]

    def add(self, text: str) -> None:
        """Let it grow."""
        self._kept += text

    def take(self, count: int) -> str:
        """Return the next characters, and go on behind them."""
        taken = self.rest[:count]
        self.at += len(taken)
        return taken

    def forget(self) -> None:
        """Drop what was read; there is no way back behind this point."""
        self._kept = self.rest
        self._start = self.at

    def more(self) -> Script[bool]:
        """Wait for more; False where no more can come."""
        if self.is_over:
            return False
        yield None
        return True

    def accept(self, literal: str) -> Script[bool]:
        """Go on behind a text if it comes next, and say whether it did."""
        while True:
            rest = self.rest
            if rest.startswith(literal):
                self.at += len(literal)
                return True
            if not literal.startswith(rest) or not (yield from self.more()):
                return False

    def skip_space(self) -> Script[None]:
        """Go on behind white space."""
        while True:
            rest = self.rest
            self.at += len(rest) - len(rest.lstrip())
            if self.rest or not (yield from self.more()):
                return

    def skip_end(self, *ends: str) -> Script[None]:
        """Go on behind some texts, as far as they come next, with white space before each."""
        for end in ends:
            start = self.at
            yield from self.skip_space()
            if not (yield from self.accept(end)):
                self.at = start

    def read_until(self, end: str, max_chars: int = MAX_NAME_CHARS) -> Script[str | None]:
        """Return the text up to an end, and go on behind that; None if it is too far away."""
        while True:
            at = self.rest.find(end, 0, max_chars + len(end))
            if at >= 0:
                found = self.take(at)
                self.at += len(end)
                return found
            if len(self.rest) >= max_chars + len(end) or not (yield from self.more()):
                return None

    def pass_on(
        self, markers: Sequence[str], delta: Callable[[str], Delta], *, trims: bool = True
    ) -> Script[str]:
        """Yield the text up to a marker, and stop there.

        Args:
            markers: What to stop at, none of them the beginning of another.
            delta: Makes a delta of a text.
            trims: Leave white space before the marker unread, too.

        Returns:
            The marker, or nothing at the end of the text.
        """
        while True:
            self.forget()
            rest = self.rest
            found = [(at, marker) for marker in markers if (at := rest.find(marker)) >= 0]
            at, marker = min(found, default=(len(rest) - _num_held(rest, markers), ""))
            if passed := self.take(len(rest[:at].rstrip()) if trims and markers else at):
                yield delta(passed)
            if marker:
                return marker
            if not (yield from self.more()):
                if self.rest:
                    yield delta(self.take(len(self.rest)))
                return ""


class ScriptReader:
    """Feeds a text to a script.

    Args:
        script: Reads the text given to it until it is over.
    """

    def __init__(self, script: Callable[[Text], Script[None]]) -> None:
        self._text = Text()
        self._script = script(self._text)

    def feed(self, text: str) -> Sequence[Delta]:
        """Take more of the answer's text, and return what is now certain."""
        self._text.add(text)
        return self._run()

    def finish(self) -> Sequence[Delta]:
        """Return what was held back, now that the text is over."""
        self._text.is_over = True
        return self._run()

    def _run(self) -> list[Delta]:
        deltas = []
        for delta in self._script:
            if delta is None:
                break
            deltas.append(delta)
        return deltas


def _num_held(text: str, markers: Sequence[str]) -> int:
    """Return how many characters at the end of a text could begin a marker."""
    longest = max(map(len, markers), default=1) - 1
    for count in range(min(longest, len(text)), 0, -1):
        if any(marker.startswith(text[-count:]) for marker in markers):
            return count
    return 0
