"""A grammar that lets a text be free until a trigger comes.

llama.cpp has such a sampler, too. It searches the whole text for each token, with a regular
expression whose engine recurses, and it ends the process where its grammar forbids the trigger.
"""

from collections.abc import Sequence as ReadOnlyList
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.grammar import Grammar
from runtime.engine.sampling.trigger import GrammarTrigger
from runtime.errors import RequestError


class LazyGrammar:
    """How far one text has come: towards a trigger, or in its grammar.

    Args:
        model: Whose tokens they are.
        grammar: What holds from a trigger on, the trigger included.
        triggers: What it waits for.
    """

    def __init__(
        self, model: Model, grammar: Grammar, triggers: ReadOnlyList[GrammarTrigger]
    ) -> None:
        self._model = model
        self._grammar = grammar
        self._tokens = {trigger.token for trigger in triggers if trigger.token is not None}
        self._words = [trigger.word.encode() for trigger in triggers if trigger.word]
        self._num_kept = max(map(len, self._words), default=1) - 1
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
        elif token in self._tokens:
            self._is_triggered = True
            self._begin(token)
        else:
            self._search(self._end + self._model.special_piece(token))

    def close(self) -> None:
        """Free the grammar."""
        self._grammar.close()

    def _search(self, text: bytes) -> None:
        found = [at for word in self._words if (at := text.find(word)) >= 0]
        if not found:
            self._end = text[len(text) - min(len(text), self._num_kept) :]
            return
        self._is_triggered = True
        # To a grammar of characters it is all the same which tokens they come in.
        for byte in text[min(found) :]:
            self._begin(self._model.byte_tokens.get(byte))

    def _begin(self, token: int | None) -> None:
        if token is None or not self._grammar.allows(token):
            raise RequestError("The grammar does not begin with the text that triggered it.")
        self._grammar.accept(token)
