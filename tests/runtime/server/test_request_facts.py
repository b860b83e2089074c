"""Tests of what the log learns of real requests."""

import asyncio

import pytest

from runtime.engine.engine import Engine
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import GenerationRequest
from runtime.errors import RequestError
from runtime.server.embedding import MAX_INPUTS, embed
from runtime.server.generation import generate
from runtime.server.request_facts import RequestFacts, current_facts
from runtime.server.state import ServerState


def _generated(engine: Engine, prompts: list[list[int]]) -> RequestFacts:
    """Generate 3 tokens for each prompt."""

    async def run() -> RequestFacts:
        facts = RequestFacts("x")
        current_facts.set(facts)
        requests = [
            GenerationRequest(prompt, SamplingParams(temperature=0, ignore_eos=True), 3)
            for prompt in prompts
        ]
        async for _ in generate(engine, requests):
            pass
        return facts

    return asyncio.run(run())


def test_choices_of_one_prompt_count_it_once(engine: Engine) -> None:
    """And each counts its own tokens."""
    prompt = [5, 6, 7, 8]
    facts = _generated(engine, [prompt, prompt])
    assert (facts.prompt_tokens, facts.completion_tokens) == (4, 6)


def test_prompts_are_added_up(engine: Engine) -> None:
    """Where a request has several."""
    facts = _generated(engine, [[5, 6, 7], [5, 6]])
    assert (facts.prompt_tokens, facts.completion_tokens) == (5, 6)


def test_embeddings_have_prompts_only(engine: Engine) -> None:
    """Nothing is generated; and there is a limit."""

    async def run() -> RequestFacts:
        facts = RequestFacts("x")
        current_facts.set(facts)
        await embed(ServerState(engine, "", "", {}, None), [[5, 6], [7]])
        return facts

    facts = asyncio.run(run())
    assert (facts.prompt_tokens, facts.completion_tokens) == (3, None)
    with pytest.raises(RequestError, match="10001 inputs"):
        asyncio.run(embed(ServerState(engine, "", "", {}, None), [[1]] * (MAX_INPUTS + 1)))
