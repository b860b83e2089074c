"""How a request is generated, in llama-server's words."""

from typing import Any

from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sampling.trigger import GrammarTrigger
from runtime.engine.sequence import GenerationRequest
from runtime.server.fields.constraint import TOKEN, WORD

# llama-server's seed for a random one.
_RANDOM_SEED = 2**32 - 1

_SAMPLING = (
    "temperature", "dynatemp_range", "dynatemp_exponent", "top_k", "top_p", "min_p",
    "top_n_sigma", "xtc_probability", "xtc_threshold", "typical_p", "repeat_last_n",
    "repeat_penalty", "presence_penalty", "frequency_penalty", "dry_multiplier", "dry_base",
    "dry_allowed_length", "dry_penalty_last_n", "mirostat", "mirostat_tau", "mirostat_eta",
    "ignore_eos", "min_keep", "samplers", "post_sampling_probs",
)  # fmt: skip


def generation_settings(request: GenerationRequest, *, is_streamed: bool) -> dict[str, Any]:
    """Return all that a request's text depends on."""
    sampling = request.sampling
    return brief_settings(request, is_streamed=is_streamed) | {
        "dry_sequence_breakers": sampling.dry_sequence_breakers,
        "stop": request.stop,
        "logit_bias": [{"bias": bias, "token": token} for token, bias in sampling.logit_bias],
        "grammar": sampling.grammar,
        "grammar_lazy": sampling.grammar_lazy,
        "grammar_triggers": [_trigger(trigger) for trigger in sampling.grammar_triggers],
        "preserved_tokens": sorted(request.shown_tokens),
    }


def brief_settings(request: GenerationRequest, *, is_streamed: bool) -> dict[str, Any]:
    """Return the same without what may tell of a prompt."""
    limit = -1 if request.max_tokens is None else request.max_tokens
    return sampling_settings(request.sampling) | {
        "max_tokens": limit,
        "n_predict": limit,
        "n_keep": request.n_keep or 0,
        "n_discard": 0,
        "stream": is_streamed,
        "n_probs": request.num_top_logprobs or 0,
        "timings_per_token": request.tells_progress,
        "lora": [{"id": id, "scale": scale} for id, scale in (request.lora or {}).items()],
    }


def sampling_settings(sampling: SamplingParams) -> dict[str, Any]:
    """Return how tokens are chosen."""
    seed = _RANDOM_SEED if sampling.seed is None else sampling.seed
    return {"seed": seed} | {name: getattr(sampling, name) for name in _SAMPLING}


def _trigger(trigger: GrammarTrigger) -> dict[str, Any]:
    if trigger.token is None:
        return {"type": WORD, "value": trigger.word}
    return {"type": TOKEN, "value": "", "token": trigger.token}
