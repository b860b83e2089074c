"""A grammar that lets a text be free until a trigger comes.

llama.cpp has such a sampler, too. It searches the whole text for each token, with a regular
expression whose engine recurses, and it ends the process where its grammar forbids the trigger.
"""

from collections.abc import Sequence as ReadOnlyList
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.grammar import Grammar
from runtime.engine.sampling.trigger import GrammarTrigger, TriggerPause
from runtime.errors import RequestError


class LazyGrammar:
    """How far one text has come: towards a trigger, or in its grammar.

    Args:
        model: Whose tokens they are.
        grammar: What holds from a trigger on, the trigger included.
        triggers: What it waits for.
        pause: Where it does not look for them.
    """

    def __init__(
        self,
        model: Model,
        grammar: Grammar,
        triggers: ReadOnlyList[GrammarTrigger],
        pause: TriggerPause | None = None,
    ) -> None:
        self._model = model
        self._grammar = grammar
        self._tokens = {trigger.token for trigger in triggers if trigger.token is not None}
        self._words = [trigger.word.encode() for trigger in triggers if trigger.word]
        self._num_kept = max(map(len, self._words), default=1) - 1
        self._pause = _Pause(pause) if pause else None
        self._end = b""
        self._is_triggered = False

    def allows(self, token: int) -> bool:
        """Say whether a token may come next."""
        return not self._is_triggered or self._grammar.allows(token)

    def apply(self, candidates: Any) -> None:
        """Take the chance from every candidate that may not come next."""
        if self._is_triggered:
            self._grammar.apply(candidates)

    def accept(self, token: int) -> None:
        """Go on by a token.

        Raises:
            RequestError: It brings a trigger with which no text of the grammar begins.
        """
        if self._is_triggered:
            self._grammar.accept(token)
        elif self._pause:
            after = self._pause.after(self._model.special_piece(token))
            if after is not None:
                self._pause = None
                self._search(after)
        elif token in self._tokens:
            self._is_triggered = True
            if not self._begins(token):
                raise _wrong_trigger()
        else:
            self._search(self._end + self._model.special_piece(token))

    def close(self) -> None:
        """Free the grammar."""
        self._grammar.close()

    def _search(self, text: bytes) -> None:
        found = [(at, word) for word in self._words if (at := text.find(word)) >= 0]
        if not found:
            self._end = text[len(text) - min(len(text), self._num_kept) :]
            return
        at, word = min(found)
        if not all(map(self._begins, self._spelled(word))):
            raise _wrong_trigger()
        behind = text[at + len(word) :]
        self._is_triggered = all(map(self._begins, self._spelled(behind)))
        if not self._is_triggered:
            # The token that brought the trigger went on as nothing can that is meant by it.
            self._grammar.reset()
            self._search(behind)

    def _spelled(self, text: bytes) -> list[int | None]:
        """Return tokens of a text; to a grammar of characters it is all the same which."""
        tokens = self._model.tokenize(
            text.decode(errors="replace"), add_special=False, parse_special=False
        )
        if b"".join(map(self._model.piece, tokens)) == text:
            return [*tokens]
        # Some tokenizers put a blank in front, and a text may end inside of a character.
        return [self._model.byte_tokens.get(byte) for byte in text]

    def _begins(self, token: int | None) -> bool:
        """Go on by a token if the grammar allows it, and say whether it does."""
        if token is None or not self._grammar.allows(token):
            return False
        self._grammar.accept(token)
        return True


class _Pause:
    """Says where the part of a text ends in which triggers are not looked for."""

    def __init__(self, pause: TriggerPause) -> None:
        self._begin, self._end = pause.begin.encode(), pause.end.encode()
        self._is_in = not self._begin
        self._text = b""

    def after(self, text: bytes) -> bytes | None:
        """Take more of the text; return what is behind the part, None while it goes on."""
        self._text += text
        if not self._is_in:
            rest = self._text.lstrip()
            if len(rest) < len(self._begin) and self._begin.startswith(rest):
                return None
            if not rest.startswith(self._begin):
                return self._text
            self._text, self._is_in = rest[len(self._begin) :], True
        at = self._text.find(self._end)
        if at >= 0:
            return self._text[at + len(self._end) :]
        self._text = self._text[len(self._text) - min(len(self._text), len(self._end) - 1) :]
        return None


def _wrong_trigger() -> RequestError:
    return RequestError("The grammar does not begin with the text that triggered it.")
