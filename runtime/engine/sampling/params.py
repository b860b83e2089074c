"""How the next token is chosen, in llama.cpp's names, order and defaults."""

import logging
import math
from collections.abc import Callable
from typing import Any

import msgspec

from runtime.engine.sampling.trigger import GrammarTrigger, TriggerPause, check_triggers
from runtime.errors import RequestError

logger = logging.getLogger(__name__)

DEFAULT_SAMPLERS = (
    "penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature",
)  # fmt: skip
DEFAULT_SEQUENCE_BREAKERS = ("\n", ":", '"', "*")

_ALIASES = {"temp": "temperature", "nucleus": "top_p", "typ": "typ_p", "typical_p": "typ_p"}
# llama.cpp's one-letter names.
_LETTERS = dict(zip("edskypmxt", DEFAULT_SAMPLERS, strict=True))

# Each breaker costs a walk over the vocabulary.
MAX_SEQUENCE_BREAKERS = 32

_LIMITS = {
    "temperature": (0, 100),
    "dynatemp_range": (0, 100),
    "dynatemp_exponent": (0, 100),
    "top_k": (-1, 2**31 - 1),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "typical_p": (0, 1),
    "top_n_sigma": (-1, 100),
    "xtc_probability": (0, 1),
    "xtc_threshold": (0, 1),
    "dry_multiplier": (0, 100),
    "dry_base": (1, 100),
    "dry_allowed_length": (0, 2**31 - 1),
    "dry_penalty_last_n": (-1, 2**31 - 1),
    "repeat_penalty": (0.01, 100),
    "repeat_last_n": (-1, 2**31 - 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "mirostat": (0, 2),
    "mirostat_tau": (0, 100),
    "mirostat_eta": (0, 1),
    "min_keep": (0, 2**31 - 1),
    "min_tokens": (0, 2**31 - 1),
}


class SamplingParams(msgspec.Struct, frozen=True):
    """The parameters of one request's sampler chain.

    Args:
        temperature: 0 takes the likeliest token always.
        dynatemp_range: How far the temperature moves with the entropy; 0 is off.
        dynatemp_exponent: How the entropy becomes a temperature.
        top_k: Keep the k likeliest tokens; 0 keeps all.
        top_p: Keep the likeliest tokens up to this probability mass; 1 keeps all.
        min_p: Drop tokens less likely than this share of the likeliest; 0 drops none.
        typical_p: Keep tokens of typical surprise up to this mass; 1 keeps all.
        top_n_sigma: Keep tokens within n standard deviations of the likeliest; 0 and less is off.
        xtc_probability: How often to drop the likeliest tokens; 0 is off.
        xtc_threshold: Those at least this likely, but for the last; above 0.5 is off.
        dry_multiplier: Strength of the penalty on repeated phrases; 0 is off.
        dry_base: How the penalty grows with the phrase's length.
        dry_allowed_length: Phrases up to this many tokens may repeat.
        dry_penalty_last_n: How many tokens back to look; 0 is off, -1 the whole context.
        dry_sequence_breakers: Texts that end a phrase.
        repeat_penalty: Divides the logits of recent tokens; 1 is off.
        repeat_last_n: How many recent tokens the penalties look at; -1 is the whole context.
        presence_penalty: Subtracted from the logits of recent tokens.
        frequency_penalty: Subtracted once per recent occurrence.
        mirostat: 1 or 2 replaces all samplers but the temperature; 0 is off.
        mirostat_tau: The surprise it aims at.
        mirostat_eta: How fast it learns.
        logit_bias: Token ids and what is added to their logits.
        ignore_eos: Never end by the model's own will.
        min_tokens: Do not end by it before this many tokens.
        min_keep: Samplers that drop tokens keep at least this many.
        samplers: The chain's order; what is not named is not used.
        seed: Of the random choice; None takes a random one.
        post_sampling_probs: Tell how likely tokens were after all samplers, not by the model alone.
        grammar: What the text must be, in GBNF; empty constrains nothing.
        grammar_lazy: Constrain the text only from a trigger on.
        grammar_triggers: What a lazy grammar waits for.
        grammar_pause: Where it does not look for them.
    """

    temperature: float = 0.8
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    top_n_sigma: float = -1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = 64
    dry_sequence_breakers: tuple[str, ...] = DEFAULT_SEQUENCE_BREAKERS
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    logit_bias: tuple[tuple[int, float], ...] = ()
    ignore_eos: bool = False
    min_tokens: int = 0
    min_keep: int = 0
    samplers: tuple[str, ...] = DEFAULT_SAMPLERS
    seed: int | None = None
    post_sampling_probs: bool = False
    grammar: str = ""
    grammar_lazy: bool = False
    grammar_triggers: tuple[GrammarTrigger, ...] = ()
    grammar_pause: TriggerPause | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise RequestError(f"{name} is {value}, and must lie from {low:g} to {high:g}.")
        if len(self.dry_sequence_breakers) > MAX_SEQUENCE_BREAKERS:
            raise RequestError(f"dry_sequence_breakers has over {MAX_SEQUENCE_BREAKERS} texts.")
        if unknown := sorted(set(self.samplers) - set(DEFAULT_SAMPLERS)):
            raise RequestError(
                f"samplers names {unknown[0]}, which is none.",
                hint=f"The samplers are {', '.join(sorted(DEFAULT_SAMPLERS))}.",
            )
        if self.grammar_lazy:
            check_triggers(self.grammar, self.grammar_triggers)
        if any(math.isnan(bias) for _, bias in self.logit_bias):
            raise RequestError("logit_bias has a value that is no number.")

    @property
    def is_greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature <= 0 and self.dynatemp_range <= 0

    @property
    def has_penalties(self) -> bool:
        """Whether any penalty changes the logits."""
        return self.repeat_penalty != 1.0 or bool(self.presence_penalty or self.frequency_penalty)


def sampler_names(names: str | list[str]) -> tuple[str, ...]:
    """Return samplers' canonical names.

    Args:
        names: As llama.cpp takes them: a list, names between semicolons, or a text of letters.
    """
    if isinstance(names, str):
        if names and set(names) <= set(_LETTERS):
            return tuple(_LETTERS[letter] for letter in names)
        names = [name for name in names.split(";") if name]
    without_dash = {name.replace("_", ""): name for name in DEFAULT_SAMPLERS}
    plain = [name.strip().lower().replace("-", "_") for name in names]
    return tuple(_ALIASES.get(name, without_dash.get(name, name)) for name in plain)


_RECOMMENDED: dict[str, tuple[str, Callable[[str], Any]]] = {
    "sequence": ("samplers", sampler_names),
    "top_k": ("top_k", int),
    "top_p": ("top_p", float),
    "min_p": ("min_p", float),
    "xtc_probability": ("xtc_probability", float),
    "xtc_threshold": ("xtc_threshold", float),
    "temp": ("temperature", float),
    "penalty_last_n": ("repeat_last_n", int),
    "penalty_repeat": ("repeat_penalty", float),
    "mirostat": ("mirostat", int),
    "mirostat_tau": ("mirostat_tau", float),
    "mirostat_eta": ("mirostat_eta", float),
}


def recommended_sampling(metadata: Callable[[str], str | None]) -> dict[str, Any]:
    """Return what a model's makers recommend, by field of `SamplingParams`.

    Args:
        metadata: Looks a key of the GGUF's header up. A value that cannot be used is left out.
    """
    values: dict[str, Any] = {}
    for key, (name, read) in _RECOMMENDED.items():
        text = metadata(f"general.sampling.{key}")
        if text is None:
            continue
        try:
            value = read(text)
            SamplingParams(**{name: value})
        except (ValueError, RequestError) as error:
            logger.warning("The model recommends %s for %s: %s", text, name, error)
        else:
            values[name] = value
    return values
