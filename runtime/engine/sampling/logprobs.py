"""How likely a chosen token and its rivals were, by the model's own logits."""

import ctypes
import math
from typing import Any

import msgspec

from runtime.engine.sampling.candidates import Candidates


class Likelihood(msgspec.Struct, frozen=True):
    """A token and the logarithm of its probability."""

    token: int
    logprob: float


class Choice(msgspec.Struct, frozen=True):
    """A chosen token, and the likeliest ones at its place, best first."""

    chosen: Likelihood
    top: tuple[Likelihood, ...]


class LogprobReader:
    """Computes log probabilities with llama.cpp's samplers; numpy is not there, Python is slow.

    Args:
        api: llama.cpp's functions.
        candidates: Where the samplers work.
    """

    def __init__(self, api: Any, candidates: Candidates) -> None:
        self._api = api
        self._candidates = candidates
        # Its softmax is what is wanted of it; the token it draws is not.
        self._softmax = api.llama_sampler_init_dist(0)

    def close(self) -> None:
        """Free the sampler."""
        self._api.llama_sampler_free(self._softmax)

    def read(self, logits: Any, token: int, num_top: int) -> Choice:
        """Return how likely a token was.

        Args:
            logits: float32 [n_vocab], a pointer.
            token: The chosen one.
            num_top: How many of the likeliest to return.
        """
        best = self._sorted(logits, max(1, num_top))
        log_sum = best[0].logit - math.log(best[0].p)
        top = tuple(
            Likelihood(best[rank].id, best[rank].logit - log_sum) for rank in range(num_top)
        )
        return Choice(Likelihood(token, logits[token] - log_sum), top)

    def _sorted(self, logits: Any, count: int) -> Any:
        """Return the `count` likeliest candidates, with the softmax over all."""
        array = self._candidates.fill(logits)
        self._api.llama_sampler_apply(self._softmax, ctypes.byref(array))
        top_k = self._api.llama_sampler_init_top_k(count)
        self._api.llama_sampler_apply(top_k, ctypes.byref(array))
        self._api.llama_sampler_free(top_k)
        return array.data
