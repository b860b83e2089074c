"""From tokens to text: whole UTF-8 characters only, and nothing from a stop string on."""

import codecs
from collections.abc import Sequence as ReadOnlyList


class TextStream:
    """Turns one sequence's token bytes into text that is safe to show.

    Args:
        stop: Strings at which the text ends; they are not part of it.
    """

    def __init__(self, stop: ReadOnlyList[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = [text for text in stop if text]
        self._held_back = ""
        self.stopped_by: str | None = None

    def push(self, piece: bytes) -> str:
        """Take a token's bytes and return the text that is now certain."""
        return self._release(self._decoder.decode(piece))

    def finish(self) -> str:
        """Return what was held back, now that no token follows."""
        text = self._release(self._decoder.decode(b"", final=True)) + self._held_back
        self._held_back = ""
        return text

    def _release(self, text: str) -> str:
        if not self._stop:
            return text
        text = self._held_back + text
        self._held_back = ""
        found = [(text.find(stop), stop) for stop in self._stop if stop in text]
        if found:
            position, self.stopped_by = min(found)
            return text[:position]
        held = max(self._overlap(text, stop) for stop in self._stop)
        self._held_back = text[len(text) - held :]
        return text[: len(text) - held]

    @staticmethod
    def _overlap(text: str, stop: str) -> int:
        """Return how many characters at the text's end could begin `stop`."""
        for length in range(min(len(text), len(stop) - 1), 0, -1):
            if text.endswith(stop[:length]):
                return length
        return 0
