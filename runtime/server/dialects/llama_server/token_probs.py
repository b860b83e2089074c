"""How likely tokens were, in the form of llama-server's `/completion`."""

import math
from collections.abc import Iterable
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.logprobs import Choice, Likelihood


def token_probs(
    choices: Iterable[Choice], model: Model, *, after_sampling: bool
) -> list[dict[str, Any]]:
    """Return the `completion_probabilities`.

    Args:
        choices: The tokens.
        model: Whose they are.
        after_sampling: Whether to tell probabilities instead of their logarithms.
    """
    rivals = "top_probs" if after_sampling else "top_logprobs"
    return [
        _likelihood(choice.chosen, model, after_sampling)
        | {rivals: [_likelihood(one, model, after_sampling) for one in choice.top]}
        for choice in choices
    ]


def _likelihood(one: Likelihood, model: Model, after_sampling: bool) -> dict[str, Any]:
    piece = model.piece(one.token) or model.special_piece(one.token)
    told = {"prob": math.exp(one.logprob)} if after_sampling else {"logprob": one.logprob}
    return {
        "id": one.token,
        "token": piece.decode(errors="ignore"),
        "bytes": list(piece),
    } | told
