"""Tokens as text-generation-inference tells them, each with its own piece of the text."""

import codecs
from collections.abc import Iterable, Sequence
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice, Likelihood


class TokenWriter:
    """Writes the tokens of one answer, whose texts together are the answer's.

    A token that ends within a character has no text, and the one that completes it has all of it;
    control tokens have none.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._num_chars = 0

    def next(self, choice: Choice) -> dict[str, Any]:
        """Return the next token."""
        text = self._decoder.decode(self._model.piece(choice.chosen.token))
        self._num_chars += len(text)
        return self._token(choice.chosen, text)

    def last(self, choice: Choice, whole: str) -> dict[str, Any]:
        """Return the last token, which has the rest of the text.

        Args:
            choice: The token, and how likely it was.
            whole: The answer's text.
        """
        return self._token(choice.chosen, whole[self._num_chars :])

    def all(self, choices: Sequence[Choice], whole: str) -> list[dict[str, Any]]:
        """Return the tokens of a whole answer."""
        if not choices:
            return []
        return [*map(self.next, choices[:-1]), self.last(choices[-1], whole)]

    def rivals(self, likelihoods: Iterable[Likelihood]) -> list[dict[str, Any]]:
        """Return the likeliest tokens at a place."""
        return [self._token(one, self._text(one.token)) for one in likelihoods]

    def _token(self, likelihood: Likelihood, text: str) -> dict[str, Any]:
        return {
            "id": likelihood.token,
            "text": text,
            "logprob": likelihood.logprob,
            "special": not self._model.piece(likelihood.token),
        }

    def _text(self, token: int) -> str:
        return self._model.piece(token).decode(errors="replace")
