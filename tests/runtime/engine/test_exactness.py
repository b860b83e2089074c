"""Tests that a text depends on its request alone: on no neighbour, prefix, draft or lack of cells.

The model is one that rounding cannot sway; see `exact_options`.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import GenerationRequest, Stats
from runtime.engine.speculation import SpeculationOptions
from tests.runtime.engine.asking import Asked
from tests.runtime.engine.tiny_llama import N_VOCAB, SPECIAL

# By how much the logarithm of a likelihood may differ; a wrong cell, position or adapter makes it
# differ by more than a tenth.
TOLERANCE = 1e-3
SAMPLINGS = [
    SamplingParams(temperature=0, ignore_eos=True),
    SamplingParams(temperature=0, repeat_penalty=1.05, repeat_last_n=16, ignore_eos=True),
    SamplingParams(temperature=0.3, seed=1, ignore_eos=True),
    SamplingParams(temperature=2, seed=2, top_k=0, top_p=1, min_p=0, ignore_eos=True),
    SamplingParams(mirostat=2, temperature=1, seed=3, ignore_eos=True),
    SamplingParams(temperature=1, seed=4, grammar="root ::= [a-f]*"),
    # What repeats itself is guessed, most of it right.
    SamplingParams(temperature=1, seed=5, grammar='root ::= ("abcdef" [gh])*', ignore_eos=True),
    SamplingParams(temperature=0, grammar='root ::= ("once, " "or "?)*', ignore_eos=True),
]
SCALES = [None, None, {0: 0.05}, {0: 0.1}, {1: 0.1}]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a request gave: its tokens, how likely each was, and what it took."""

    tokens: list[int]
    logprobs: list[float]
    stats: Stats


def _answers(engine: Engine, requests: Iterable[GenerationRequest]) -> list[_Answer]:
    """Ask everything at once."""
    asked = []
    for request in requests:
        one = Asked()
        engine.submit(request, one.events.put)
        asked.append(one)
    return [_answer(one) for one in asked]


def _answer(asked: Asked) -> _Answer:
    choices = [choice.chosen for delta in asked.deltas() for choice in delta.choices]
    tokens = [choice.token for choice in choices]
    return _Answer(tokens, [choice.logprob for choice in choices], asked.finished.stats)


def _requests(seed: int, count: int) -> list[GenerationRequest]:
    """Return requests of all kinds, many of which begin alike or repeat themselves."""
    chance = random.Random(seed)

    def tokens(count: int) -> list[int]:
        return [chance.randrange(len(SPECIAL), N_VOCAB) for _ in range(count)]

    begins = [tokens(80), tokens(40) * 2, tokens(150)]
    return [
        GenerationRequest(
            chance.choice(begins)[: chance.randrange(20, 150)] + tokens(chance.randrange(1, 9)),
            chance.choice(SAMPLINGS),
            max_tokens=chance.randrange(10, 90),
            num_top_logprobs=0,
            lora=chance.choice(SCALES),
        )
        for _ in range(count)
    ]


def _alone(options: EngineOptions, request: GenerationRequest) -> _Answer:
    """Answer a request in a context of its own, without drafts."""
    model, runner = load_model(options)
    engine = Engine(lambda: (model, runner), max_running=1, adapters=options.adapters)
    engine.start_thread()
    try:
        return _answers(engine, [request])[0]
    finally:
        engine.stop()
        runner.close()
        model.close()


@pytest.mark.parametrize("n_ctx", [1024, 256])
def test_a_text_depends_on_its_request_alone(exact_options: EngineOptions, n_ctx: int) -> None:
    """Among neighbours, with found prefixes, drafts and too few cells, each text is its own."""
    requests = _requests(n_ctx, 40)
    options = replace(exact_options, n_ctx=n_ctx)
    assert options.speculation == SpeculationOptions("ngram-simple,draft-simple")
    engine = Engine.start(options)
    together = _answers(engine, requests)
    metrics = engine.metrics
    engine.stop()
    for request, answer in zip(requests, together, strict=True):
        alone = _alone(exact_options, request)
        assert answer.tokens == alone.tokens
        assert answer.logprobs == pytest.approx(alone.logprobs, abs=TOLERANCE)
    assert sum(answer.stats.cached_tokens for answer in together) > 300
    assert sum(answer.stats.accepted_tokens for answer in together) > 20
    assert sum(answer.stats.drafted_tokens - answer.stats.accepted_tokens for answer in together)
    assert metrics.num_preemptions > 0 or n_ctx == 1024
