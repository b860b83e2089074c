"""Sampling parameters in a request's body, in OpenAI's and llama-server's names."""

from collections.abc import Iterable
from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.params import SamplingParams, sampler_names
from runtime.errors import RequestError
from runtime.server.fields.constraint import ConstraintFields
from runtime.server.json import Integer


class SamplingFields(ConstraintFields, kw_only=True):
    """The sampling fields of a body; see `SamplingParams` for the meaning of each."""

    temperature: float | None = None
    dynatemp_range: float | None = None
    dynatemp_exponent: float | None = None
    top_k: Integer | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None
    top_n_sigma: float | None = None
    xtc_probability: float | None = None
    xtc_threshold: float | None = None
    dry_multiplier: float | None = None
    dry_base: float | None = None
    dry_allowed_length: Integer | None = None
    dry_penalty_last_n: Integer | None = None
    dry_sequence_breakers: list[str] | None = None
    repeat_penalty: float | None = None
    repeat_last_n: Integer | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    mirostat: Integer | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None
    logit_bias: dict[str, float | bool] | list[tuple[Integer | str, float | bool]] | None = None
    ignore_eos: bool | None = None
    min_tokens: Integer | None = None
    min_keep: Integer | None = None
    samplers: list[str] | str | None = None
    seed: Integer | None = None
    post_sampling_probs: bool | None = None

    def asked(self, model: Model) -> dict[str, Any]:
        """Return what the body asks for, by field of `SamplingParams`.

        Raises:
            RequestError: A bias is on no token of the model.
        """
        # What constrains the text is read by `constraint`.
        names = set(SamplingParams.__struct_fields__)
        names -= {*ConstraintFields.__struct_fields__, "grammar_pause"}
        values = {name: getattr(self, name) for name in names}
        asked = {name: value for name, value in values.items() if value is not None}
        if self.dry_sequence_breakers is not None:
            asked["dry_sequence_breakers"] = tuple(self.dry_sequence_breakers)
        if self.samplers is not None:
            asked["samplers"] = sampler_names(self.samplers)
        if self.seed is not None and self.seed < 0:
            asked["seed"] = None
        if self.logit_bias is not None:
            pairs = self.logit_bias
            items = pairs.items() if isinstance(pairs, dict) else pairs
            asked["logit_bias"] = tuple(_biases(items, model))
        return asked


def _biases(
    items: Iterable[tuple[int | str, float | bool]], model: Model
) -> Iterable[tuple[int, float]]:
    """Yield token ids and biases; a text stands for its tokens, false for never."""
    for which, value in items:
        if value is True:
            raise RequestError(f"logit_bias of {which} is true, and must be a number or false.")
        bias = float("-inf") if value is False else float(value)
        for token in _tokens(which, model):
            yield token, bias


def _tokens(which: int | str, model: Model) -> list[int]:
    if isinstance(which, str) and not which.lstrip("-").isdecimal():
        return model.tokenize(which, add_special=False, parse_special=False)
    token = int(which)
    if not 0 <= token < model.n_vocab:
        raise RequestError(
            f"logit_bias names the token {token}, and the model's are 0 to {model.n_vocab - 1}."
        )
    return [token]
