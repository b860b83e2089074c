"""Tests of sampling parameters: their ranges, names, and what a model recommends."""

from typing import Any

import pytest

from runtime.engine.sampling.params import (
    DEFAULT_SAMPLERS,
    SamplingParams,
    recommended_sampling,
    sampler_names,
)
from runtime.errors import RequestError


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        ({"temperature": -1}, "temperature is -1, and must lie from 0 to 100"),
        ({"top_p": float("nan")}, "top_p is nan"),
        ({"mirostat": 3}, "mirostat is 3"),
        ({"dry_base": 0.5}, "dry_base is 0.5"),
        ({"repeat_last_n": -2}, "repeat_last_n is -2"),
        ({"min_tokens": -1}, "min_tokens is -1"),
        ({"samplers": ("top_k", "luck")}, "samplers names luck, which is none. The samplers are"),
        ({"dry_sequence_breakers": ("x",) * 33}, "over 32 texts"),
        ({"logit_bias": ((1, float("nan")),)}, "no number"),
    ],
)
def test_values_out_of_range_are_refused(sampling: dict[str, Any], message: str) -> None:
    """Each wrong value gets a sentence with its name."""
    with pytest.raises(RequestError, match=message):
        SamplingParams(**sampling)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("edskypmxt", DEFAULT_SAMPLERS),
        ("top-k;temp", ("top_k", "temperature")),
        (["topp", "typical_p", "Min_P"], ("top_p", "typ_p", "min_p")),
        ([], ()),
    ],
)
def test_samplers_are_named_as_in_llama_cpp(names: Any, expected: tuple[str, ...]) -> None:
    """Names, names with dashes or without, aliases and letters all work."""
    assert sampler_names(names) == expected


def test_a_models_recommendation_is_read() -> None:
    """Usable values of the header become parameters; others are left out."""
    header = {
        "general.sampling.temp": "0.6",
        "general.sampling.top_k": "20",
        "general.sampling.penalty_repeat": "1.05",
        "general.sampling.sequence": "top_k;temperature",
        "general.sampling.top_p": "a lot",
        "general.sampling.min_p": "7",
    }
    assert recommended_sampling(header.get) == {
        "temperature": 0.6,
        "top_k": 20,
        "repeat_penalty": 1.05,
        "samplers": ("top_k", "temperature"),
    }
