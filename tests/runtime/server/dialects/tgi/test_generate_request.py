"""Tests of what the parameters of text-generation-inference ask for."""

from typing import Any

import msgspec
import pytest

from runtime.errors import RequestError
from runtime.server.dialects.tgi.generate_request import (
    GenerateParameters,
    GenerateRequest,
    Grammar,
)


def _sampling(**parameters: Any) -> dict[str, Any]:
    return msgspec.convert(parameters, GenerateParameters).sampling()


@pytest.mark.parametrize(
    ("parameters", "samples"),
    [
        ({}, False),
        ({"do_sample": False, "temperature": 1.0, "top_p": 1.0, "typical_p": 1.0}, False),
        ({"do_sample": True}, True),
        ({"temperature": 0.5}, True),
        ({"top_k": 5}, True),
        ({"top_p": 0.9}, True),
        ({"typical_p": 0.9}, True),
        ({"repetition_penalty": 1.2}, False),
    ],
)
def test_when_tokens_are_drawn(parameters: dict[str, Any], samples: bool) -> None:
    """Where do_sample is true, or something asks for it; else the likeliest is taken."""
    assert msgspec.convert(parameters, GenerateParameters).samples == samples
    assert (_sampling(**parameters).get("temperature") == 0) == (not samples)


def test_a_body_without_parameters_samples() -> None:
    """It is text-generation-inference's own default; with parameters, it is not."""
    assert msgspec.json.decode('{"inputs": "a"}', type=GenerateRequest).parameters.samples
    body = msgspec.json.decode('{"inputs": "a", "parameters": {}}', type=GenerateRequest)
    assert not body.parameters.samples
    assert body.parameters.max_new_tokens == 100


def test_names_of_the_engine() -> None:
    """Each parameter goes to the sampler's own; penalties look at the whole text."""
    asked = _sampling(
        do_sample=True,
        temperature=0.7,
        top_k=5,
        top_p=0.8,
        typical_p=0.9,
        repetition_penalty=1.1,
        frequency_penalty=0.2,
        seed=3,
    )
    assert asked == {
        "temperature": 0.7,
        "top_k": 5,
        "top_p": 0.8,
        "typical_p": 0.9,
        "repeat_penalty": 1.1,
        "frequency_penalty": 0.2,
        "repeat_last_n": -1,
        "seed": 3,
    }


def test_a_seed_is_always_known() -> None:
    """One that was drawn can be told, so that a client can ask for the same again."""
    seeds = {_sampling(do_sample=True)["seed"] for _ in range(3)}
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("json", {"type": "object", "properties": {"a": {"const": 1}}}),
        ("json", '{"type": "object", "properties": {"a": {"const": 1}}}'),
        ("json_schema", {"name": "x", "schema": {"properties": {"a": {"const": 1}}}}),
        ("json_object", {}),
        ("regex", r"\d{3}"),
    ],
)
def test_grammars(kind: Any, value: Any) -> None:
    """Schemas come as objects or as texts, and under a name of their own."""
    assert Grammar(kind, value).to_gbnf().startswith("root ::=")


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("json", "{", "no valid JSON"),
        ("json_schema", {"name": "x"}, "has no schema"),
        ("regex", 5, "is no text"),
        ("regex", "(", "The pattern cannot be used"),
        ("json", {"not": {}}, "The JSON schema cannot be used"),
    ],
)
def test_grammars_that_cannot_be_used(kind: Any, value: Any, reason: str) -> None:
    """The error says what is wrong with the value."""
    with pytest.raises(RequestError, match=reason):
        Grammar(kind, value).to_gbnf()


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"best_of": 17, "do_sample": True}, "best_of is 17, and must lie from 1 to 16"),
        ({"best_of": 2}, "without sampling all answers are the same"),
        ({"top_n_tokens": 21}, "top_n_tokens is 21"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"truncate": 0}, "truncate is 0"),
        ({"watermark": True}, "watermark is not supported"),
        ({"decoder_input_details": True}, "decoder_input_details is not supported"),
    ],
)
def test_parameters_that_are_refused(parameters: dict[str, Any], reason: str) -> None:
    """What is out of range or not done here is told, never left out silently."""
    body = msgspec.convert({"inputs": "a", "parameters": parameters}, GenerateRequest)
    with pytest.raises(RequestError, match=reason):
        body.check(is_stream=False)


def test_a_stream_is_one_text() -> None:
    """The best of several is known only when all are complete."""
    body = GenerateRequest(inputs="a", parameters=GenerateParameters(best_of=2, do_sample=True))
    with pytest.raises(RequestError, match="which a stream cannot be"):
        body.check(is_stream=True)
