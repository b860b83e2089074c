"""Log probabilities as OpenAI's API carries them, with llama-server's token ids."""

from collections.abc import Iterable
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice, Likelihood
from runtime.errors import RequestError

MAX_TOP_LOGPROBS = 20


def num_top_logprobs(logprobs: bool | None, top_logprobs: int | None) -> int | None:
    """Return how many rivals of each token a request asks for; None asks for no logprobs.

    Raises:
        RequestError: The two fields do not fit together, or the number is out of range.
    """
    if top_logprobs is None:
        return 0 if logprobs else None
    if not logprobs:
        raise RequestError("top_logprobs needs logprobs to be true.")
    if not 0 <= top_logprobs <= MAX_TOP_LOGPROBS:
        raise RequestError(
            f"top_logprobs is {top_logprobs}, and must lie from 0 to {MAX_TOP_LOGPROBS}."
        )
    return top_logprobs


def logprobs_body(choices: Iterable[Choice], model: Model) -> dict[str, Any]:
    """Return a choice's `logprobs`."""
    content = [
        _likelihood(choice.chosen, model)
        | {"top_logprobs": [_likelihood(rival, model) for rival in choice.top]}
        for choice in choices
    ]
    return {"content": content}


def _likelihood(likelihood: Likelihood, model: Model) -> dict[str, Any]:
    piece = model.piece(likelihood.token) or model.special_piece(likelihood.token)
    return {
        "id": likelihood.token,
        "token": piece.decode(errors="replace"),
        "bytes": list(piece),
        "logprob": likelihood.logprob,
    }


class TextLogprobs:
    """Writes the log probabilities of one text completion, whole or piece by piece.

    Args:
        model: The loaded model.
        offset: Where its tokens begin in the text that is told, in characters.
    """

    def __init__(self, model: Model, offset: int) -> None:
        self._model = model
        self._offset = offset

    def body(self, choices: Iterable[Choice]) -> dict[str, Any]:
        """Return the next tokens': OpenAI's lists, and llama-server's `content`."""
        told: dict[str, list[Any]] = {
            "tokens": [],
            "token_logprobs": [],
            "top_logprobs": [],
            "text_offset": [],
        }
        choices = list(choices)
        for choice in choices:
            token = self._name(choice.chosen.token)
            rivals = {self._name(rival.token): rival.logprob for rival in choice.top}
            told["tokens"].append(token)
            told["token_logprobs"].append(choice.chosen.logprob)
            told["top_logprobs"].append({token: choice.chosen.logprob} | rivals)
            told["text_offset"].append(self._offset)
            self._offset += len(self._model.piece(choice.chosen.token).decode(errors="ignore"))
        return told | logprobs_body(choices, self._model)

    def _name(self, token: int) -> str:
        """Return a token's text; bytes that are none are spelled out as OpenAI does."""
        piece = self._model.piece(token) or self._model.special_piece(token)
        try:
            return piece.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)
