"""How likely a chosen token and its rivals were, by the model's own logits."""

import ctypes
import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A token and the logarithm of its probability."""

    token: int
    logprob: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen token, and the likeliest ones at its place, best first."""

    chosen: Likelihood
    top: tuple[Likelihood, ...]


class LogprobReader:
    """Computes log probabilities with llama.cpp's samplers; numpy is not there, Python is slow.

    Args:
        api: llama.cpp's functions.
        n_vocab: How many logits there are.
    """

    def __init__(self, api: Any, n_vocab: int) -> None:
        self._api = api
        self._n_vocab = n_vocab
        self._candidates = (api.llama_token_data * n_vocab)()
        self._ids = memoryview((ctypes.c_int32 * n_vocab)(*range(n_vocab))).cast("B").cast("i")
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
        api = self._api
        # A candidate is an id, a logit and a probability, of four bytes each.
        raw = memoryview(self._candidates).cast("B")
        values = (ctypes.c_float * self._n_vocab).from_address(ctypes.addressof(logits.contents))
        raw.cast("i")[0::3] = self._ids
        raw.cast("f")[1::3] = memoryview(values).cast("B").cast("f")
        array = api.llama_token_data_array(
            ctypes.cast(self._candidates, api.llama_token_data_p), self._n_vocab, -1, False
        )
        api.llama_sampler_apply(self._softmax, ctypes.byref(array))
        top_k = api.llama_sampler_init_top_k(count)
        api.llama_sampler_apply(top_k, ctypes.byref(array))
        api.llama_sampler_free(top_k)
        return array.data
