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
