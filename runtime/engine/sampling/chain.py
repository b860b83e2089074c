"""A request's sampler chain, made of llama.cpp's own samplers in llama.cpp's order."""

import ctypes
import heapq
import math
import os
from collections.abc import Callable, Iterable
from collections.abc import Sequence as ReadOnlyList
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.candidates import Candidates, probabilities
from runtime.engine.sampling.logprobs import Choice, Likelihood
from runtime.engine.sampling.params import SamplingParams

# What Mirostat 1 takes for its estimate, as in its paper.
_MIROSTAT_M = 100


class SamplerChain:
    """A chain of llama.cpp's samplers that has seen the prompt.

    Args:
        api: llama.cpp's functions.
        handle: The chain, which is freed by `close`.
        params: What it was made of; after `min_tokens` its first sampler, which keeps the model
            from ending, is dropped.
        candidates: Where it chooses, if `last_choice` is to be asked.
    """

    def __init__(
        self,
        api: Any,
        handle: Any,
        params: SamplingParams,
        candidates: Candidates | None = None,
    ) -> None:
        self._api = api
        self.handle = handle
        self._num_until_end = params.min_tokens
        self._samples = not params.is_greedy
        self._candidates = candidates
        self._left: Any = None

    def sample(self, context: Any, position: int) -> int:
        """Choose a token from the logits at a position of the batch."""
        if self._candidates:
            logits = self._api.llama_get_logits_ith(context, position)
            chosen = self.choose(self._candidates.fill(logits))
            self.accept(chosen)
            return chosen
        token: int = self._api.llama_sampler_sample(self.handle, context, position)
        self._count()
        return token

    def choose(self, candidates: Any) -> int:
        """Choose one of some candidates, which `accept` may then make the next token."""
        self._api.llama_sampler_apply(self.handle, ctypes.byref(candidates))
        token: int = candidates.data[candidates.selected].id
        self._left = candidates
        return token

    def last_choice(self, token: int, num_top: int) -> Choice:
        """Return how likely the token chosen last was among those that the samplers left.

        Args:
            token: The token.
            num_top: How many of the likeliest to return; there may be fewer.
        """
        left = probabilities(self._left) if self._samples else {}
        # The likeliest token, and one that a grammar demands, are taken without a chance.
        left = {id: p for id, p in left.items() if p > 0} or {token: 1.0}
        best = heapq.nlargest(num_top, left, key=left.__getitem__)
        return Choice(
            Likelihood(token, math.log(left.get(token, 1.0))),
            tuple(Likelihood(id, math.log(left[id])) for id in best),
        )

    def accept(self, token: int) -> None:
        """Go on by a token."""
        self._api.llama_sampler_accept(self.handle, token)
        self._count()

    def close(self) -> None:
        """Free the chain."""
        self._api.llama_sampler_free(self.handle)

    def _count(self) -> None:
        if self._num_until_end:
            self._num_until_end -= 1
            if not self._num_until_end:
                self._api.llama_sampler_free(self._api.llama_sampler_chain_remove(self.handle, 0))


def build_chain(
    api: Any,
    model: Model,
    params: SamplingParams,
    prompt: ReadOnlyList[int],
    n_ctx: int,
    candidates: Candidates | None = None,
) -> SamplerChain:
    """Make the sampler chain of a request.

    Args:
        api: llama.cpp's functions.
        model: Whose tokens it samples.
        params: What it is made of.
        prompt: The tokens that penalties see before the first one.
        n_ctx: Tokens of context, beyond which no penalty looks back.
        candidates: See `SamplerChain`.
    """
    stages = _Stages(api, model, params, prompt, n_ctx)
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    for stage in stages.all():
        api.llama_sampler_chain_add(chain, stage)
    return SamplerChain(api, chain, params, candidates)


class _Stages:
    """Makes the samplers of one chain."""

    def __init__(
        self, api: Any, model: Model, params: SamplingParams, prompt: ReadOnlyList[int], n_ctx: int
    ) -> None:
        self._api = api
        self._model = model
        self._params = params
        self._prompt = prompt
        self._n_ctx = n_ctx
        seed = int.from_bytes(os.urandom(4)) if params.seed is None else params.seed
        self._seed = ctypes.c_uint32(seed).value

    def all(self) -> Iterable[Any]:
        """Yield the chain's samplers, first to last."""
        params = self._params
        if params.min_tokens:
            yield self._bias({token: -float("inf") for token in self._model.end_tokens})
        if biases := self._all_biases():
            yield self._bias(biases)
        if params.is_greedy:
            # The others drop tokens, or scale all logits: neither changes which is the likeliest.
            for name in params.samplers:
                if name in ("penalties", "dry"):
                    yield self._named(name)
            yield self._api.llama_sampler_init_greedy()
        elif params.mirostat:
            yield self._api.llama_sampler_init_temp(params.temperature)
            yield self._mirostat()
        else:
            yield from (self._named(name) for name in params.samplers)
            yield self._api.llama_sampler_init_dist(self._seed)

    def _all_biases(self) -> dict[int, float]:
        biases: dict[int, float] = {}
        for token, bias in self._params.logit_bias:
            biases[token] = biases.get(token, 0.0) + bias
        banned = list(self._model.suppressed_tokens)
        if self._params.ignore_eos:
            banned += self._model.end_tokens
        return biases | dict.fromkeys(banned, -float("inf"))

    def _bias(self, biases: dict[int, float]) -> Any:
        array = (self._api.llama_logit_bias * len(biases))(*biases.items())
        return self._api.llama_sampler_init_logit_bias(self._model.n_vocab, len(array), array)

    def _mirostat(self) -> Any:
        params, api = self._params, self._api
        if params.mirostat == 1:
            return api.llama_sampler_init_mirostat(
                self._model.n_vocab,
                self._seed,
                params.mirostat_tau,
                params.mirostat_eta,
                _MIROSTAT_M,
            )
        return api.llama_sampler_init_mirostat_v2(
            self._seed, params.mirostat_tau, params.mirostat_eta
        )

    def _named(self, name: str) -> Any:
        params, api = self._params, self._api
        make: dict[str, Callable[[], Any]] = {
            "penalties": self._penalties,
            "dry": self._dry,
            "top_n_sigma": lambda: api.llama_sampler_init_top_n_sigma(params.top_n_sigma),
            "top_k": lambda: api.llama_sampler_init_top_k(params.top_k),
            "typ_p": lambda: api.llama_sampler_init_typical(params.typical_p, params.min_keep),
            "top_p": lambda: api.llama_sampler_init_top_p(params.top_p, params.min_keep),
            "min_p": lambda: api.llama_sampler_init_min_p(params.min_p, params.min_keep),
            "xtc": lambda: api.llama_sampler_init_xtc(
                params.xtc_probability, params.xtc_threshold, params.min_keep, self._seed
            ),
            "temperature": lambda: api.llama_sampler_init_temp_ext(
                params.temperature, params.dynatemp_range, params.dynatemp_exponent
            ),
        }
        return make[name]()

    def _penalties(self) -> Any:
        params = self._params
        last_n = self._window(params.repeat_last_n)
        penalties = self._api.llama_sampler_init_penalties(
            self._model.n_vocab,
            last_n,
            params.repeat_penalty,
            params.frequency_penalty,
            params.presence_penalty,
        )
        return self._shown_prompt(penalties, last_n if params.has_penalties else 0)

    def _dry(self) -> Any:
        params = self._params
        last_n = self._window(params.dry_penalty_last_n)
        breakers = [text.encode() for text in params.dry_sequence_breakers]
        dry = self._api.llama_sampler_init_dry(
            self._model.vocab,
            params.dry_multiplier,
            params.dry_base,
            params.dry_allowed_length,
            last_n,
            (ctypes.c_char_p * len(breakers))(*breakers),
            len(breakers),
        )
        return self._shown_prompt(dry, last_n if params.dry_multiplier else 0)

    def _window(self, last_n: int) -> int:
        return self._n_ctx if last_n < 0 else min(last_n, self._n_ctx)

    def _shown_prompt(self, sampler: Any, last_n: int) -> Any:
        if last_n:
            for token in self._prompt[-last_n:]:
                self._api.llama_sampler_accept(sampler, token)
        return sampler
