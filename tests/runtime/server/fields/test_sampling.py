"""Tests of sampling fields in requests, and of which place wins."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.engine.sampling.params import SamplingParams
from runtime.errors import RequestError
from runtime.server.fields.sampling import SamplingFields
from runtime.server.state import ServerState

MINUS_INFINITY = float("-inf")


class FakeModel:
    """Ten tokens, each text one token per letter, and a recommended temperature."""

    n_vocab = 10
    recommended_sampling = {"temperature": 0.6, "top_k": 20, "min_p": 0.2}  # noqa: RUF012 - a fake

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        return [len(text)] * len(text)


def _asked(body: dict[str, Any]) -> dict[str, Any]:
    return msgspec.convert(body, SamplingFields).asked(cast(Model, FakeModel()))


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({}, {}),
        ({"top_k": 3, "mirostat": None}, {"top_k": 3}),
        ({"seed": -1}, {"seed": None}),
        ({"samplers": "kt"}, {"samplers": ("top_k", "temperature")}),
        ({"dry_sequence_breakers": ["."]}, {"dry_sequence_breakers": (".",)}),
        ({"logit_bias": {"4": -100}}, {"logit_bias": ((4, -100.0),)}),
        (
            {"logit_bias": [[3, False], ["ab", 1.5]]},
            {"logit_bias": ((3, MINUS_INFINITY), (2, 1.5), (2, 1.5))},
        ),
    ],
)
def test_fields_become_parameters(body: dict[str, Any], asked: dict[str, Any]) -> None:
    """What a body names is asked for, in every spelling; what it leaves out is not."""
    assert _asked(body) == asked


@pytest.mark.parametrize("bias", [{"10": 1.0}, [[-1, 1.0]], {"1": True}])
def test_a_bias_on_nothing_is_refused(bias: object) -> None:
    """A token the model has not, and a bias of true, are refused."""
    with pytest.raises(RequestError, match="logit_bias"):
        _asked({"logit_bias": bias})


def test_a_request_beats_the_settings_which_beat_the_model() -> None:
    """The model's recommendation is used where nobody says otherwise."""
    engine = cast(Engine, SimpleNamespace(model=FakeModel()))
    state = ServerState(engine, "model", "", {"top_k": 5, "min_p": 0.1}, None)
    assert state.sampling_params({"min_p": 0.3}) == SamplingParams(
        temperature=0.6, top_k=5, min_p=0.3
    )
