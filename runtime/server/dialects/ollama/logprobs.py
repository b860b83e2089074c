"""Log probabilities as Ollama tells them."""

from collections.abc import Iterable
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice, Likelihood


def logprobs_body(choices: Iterable[Choice], model: Model) -> list[dict[str, Any]]:
    """Return the field `logprobs`: an object for each token."""
    return [
        _likelihood(choice.chosen, model)
        | ({"top_logprobs": [_likelihood(one, model) for one in choice.top]} if choice.top else {})
        for choice in choices
    ]


def _likelihood(likelihood: Likelihood, model: Model) -> dict[str, Any]:
    piece = model.piece(likelihood.token) or model.special_piece(likelihood.token)
    return {
        "token": piece.decode(errors="replace"),
        "logprob": likelihood.logprob,
        "bytes": list(piece),
    }
