"""Tests of log probabilities, by hand and with the real model."""

import ctypes
import math
import random

import pytest

from runtime.engine.engine import Engine
from runtime.engine.llama import Llama
from runtime.engine.sampling.candidates import Candidates
from runtime.engine.sampling.logprobs import LogprobReader
from tests.runtime.engine.asking import submit


@pytest.mark.parametrize("num_top", [0, 1, 5, 100])
def test_they_are_a_softmax_of_the_logits(binding: None, num_top: int) -> None:
    """The numbers are those of the definition, every time, and the likeliest come best first."""
    api = Llama.load().api
    reader = LogprobReader(api, Candidates(api, 100))
    for seed in range(3):
        drawn = random.Random(seed)
        logits = (ctypes.c_float * 100)(*(drawn.gauss(0, 4) for _ in range(100)))
        choice = reader.read(ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), 7, num_top)
        log_sum = math.log(math.fsum(map(math.exp, logits)))
        assert choice.chosen.logprob == pytest.approx(logits[7] - log_sum, abs=1e-5)
        ranked = sorted(range(100), key=lambda token: -logits[token])
        assert [likelihood.token for likelihood in choice.top] == ranked[:num_top]
        for likelihood in choice.top:
            expected = logits[likelihood.token] - log_sum
            assert likelihood.logprob == pytest.approx(expected, abs=1e-5)
    reader.close()


def test_each_token_has_its_own(engine: Engine) -> None:
    """A greedy text's tokens are the likeliest of their places, and none is missing."""
    asked = submit(engine, "Once upon a time", temperature=0, max_tokens=8, num_top_logprobs=3)
    deltas = asked.deltas()
    choices = [choice for delta in deltas for choice in delta.choices]
    assert len(choices) == 8
    text = b"".join(engine.model.piece(choice.chosen.token) for choice in choices)
    assert text.decode() == "".join(delta.text for delta in deltas)
    for choice in choices:
        assert choice.top[0] == choice.chosen
        assert 0 >= choice.top[0].logprob >= choice.top[1].logprob >= choice.top[2].logprob
    assert not any(
        delta.choices for delta in submit(engine, "Once", max_tokens=2, temperature=0).deltas()
    )
