"""Tests of several choices for one prompt, with OpenAI's client and the real model."""

import asyncio
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from runtime.engine.engine import Engine
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import Finished, GenerationRequest
from runtime.server.generation import generate

STORY: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Tell me a story."}]
# Chances that rounding, which differs with the batch's shape, cannot tip: letters far apart in
# their logits, and so hot that each is as likely.
LETTERS: dict[str, Any] = {
    "temperature": 100,
    "logit_bias": {letter: 10_000 + 10 * index for index, letter in enumerate("ABCDEFGH")},
    "extra_body": {"samplers": "t"},
}


def _texts(client: openai.OpenAI, **arguments: Any) -> list[str | None]:
    done = client.chat.completions.create(model="any", messages=STORY, max_tokens=6, **arguments)
    assert [choice.index for choice in done.choices] == list(range(len(done.choices)))
    return [choice.message.content for choice in done.choices]


def test_choices_differ_and_a_seed_repeats_them(client: openai.OpenAI) -> None:
    """Choice number i is that of the seed plus i alone, so all differ and all repeat."""
    three = _texts(client, n=3, seed=7, **LETTERS)
    assert len(set(three)) == 3
    assert three == _texts(client, n=3, seed=7, **LETTERS)
    assert three[2] == _texts(client, seed=9, **LETTERS)[0]


def test_the_prompt_is_counted_once(client: openai.OpenAI) -> None:
    """Usage has the prompt of one choice and the tokens of all."""

    def usage(n: int) -> Any:
        return client.chat.completions.create(
            model="any", messages=STORY, max_tokens=5, n=n, temperature=0
        ).usage

    one, three = usage(1), usage(3)
    assert three.prompt_tokens == one.prompt_tokens
    assert three.completion_tokens == 3 * one.completion_tokens == 15
    assert three.total_tokens == three.prompt_tokens + 15


def test_a_stream_carries_all_choices(client: openai.OpenAI) -> None:
    """Each chunk names its choice; together they are what comes unstreamed."""
    stream = client.chat.completions.create(
        model="any",
        messages=STORY,
        max_tokens=6,
        n=3,
        seed=7,
        stream=True,
        stream_options={"include_usage": True},
        **LETTERS,
    )
    texts, reasons, usage = ["", "", ""], {}, None
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            if choice.finish_reason:
                reasons[choice.index] = choice.finish_reason
    assert texts == _texts(client, n=3, seed=7, **LETTERS)
    assert reasons == {0: "length", 1: "length", 2: "length"}
    assert usage is not None
    assert usage.completion_tokens == 18


@pytest.mark.parametrize("n", [0, -1, 17])
def test_a_wrong_number_is_refused(client: openai.OpenAI, n: int) -> None:
    """Fewer than one, or more than the limit, is a 400 that names the limit."""
    with pytest.raises(openai.BadRequestError, match=f"n is {n}, and must lie from 1 to 16"):
        client.chat.completions.create(model="any", messages=STORY, n=n)


def test_all_choices_end_with_their_reader(engine: Engine) -> None:
    """Once nobody reads any more, the engine has no work left on any choice."""
    prompt = engine.model.tokenize("Once", add_special=True, parse_special=True)
    request = GenerationRequest(prompt, SamplingParams(ignore_eos=True))

    async def leave_early() -> None:
        events = generate(engine, [request] * 4)
        await anext(events)
        await events.aclose()

    async def ask_one() -> float:
        async for event in generate(engine, [GenerationRequest(prompt, max_tokens=4)]):
            if isinstance(event.event, Finished):
                return event.event.stats.queue_s
        raise AssertionError("the engine ends every request")

    asyncio.run(leave_early())
    # Four run at once: were they still at it, up to the context's end, this one would wait.
    assert asyncio.run(ask_one()) < 1
