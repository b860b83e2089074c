"""Tests of `/v1/completions`, with OpenAI's client and the real model."""

from typing import Any

import msgspec
import openai
import pytest
from openai.types import Completion
from starlette.testclient import TestClient

from runtime.engine.engine import Engine
from runtime.server.dialects.openai.completion_request import CompletionRequest

PROMPT = "The capital of France is"


def _done(client: openai.OpenAI, prompt: Any = PROMPT, **arguments: Any) -> Completion:
    given = {"max_tokens": 4, "temperature": 0} | arguments
    done: Completion = client.completions.create(model="any", prompt=prompt, **given)
    return done


def _streamed(client: openai.OpenAI, prompt: Any = PROMPT, **arguments: Any) -> list[Completion]:
    given = {"max_tokens": 4, "temperature": 0} | arguments
    return list(client.completions.create(model="any", prompt=prompt, stream=True, **given))


def _texts(done: Completion) -> list[str]:
    assert [choice.index for choice in done.choices] == list(range(len(done.choices)))
    return [choice.text for choice in done.choices]


def test_a_text_is_continued(client: openai.OpenAI) -> None:
    """A whole completion has text, a reason to stop and a count of tokens."""
    done = _done(client)
    assert _texts(done) == [" Paris.\n\n"]
    assert (done.object, done.choices[0].finish_reason) == ("text_completion", "length")
    assert done.usage is not None
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (5, 4)


def test_a_stream_brings_the_same_text(client: openai.OpenAI) -> None:
    """In pieces, then the reason, then the usage."""
    chunks = _streamed(client, stream_options={"include_usage": True})
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == " Paris.\n\n"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]][-2:] == [None, "length"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 9


def test_prompts_are_texts_or_tokens_or_both(client: openai.OpenAI, engine: Engine) -> None:
    """Each form gives the same text; a list of prompts gives an answer for each."""
    tokens = engine.model.tokenize(PROMPT, add_special=True, parse_special=True)
    mixed = [*tokens[:2], " of France is"]
    for prompt in (PROMPT, tokens, mixed):
        assert _texts(_done(client, prompt)) == [" Paris.\n\n"]
    done = _done(client, [tokens, tokens])
    assert _texts(done) == [" Paris.\n\n"] * 2
    assert done.usage is not None
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (10, 8)


def test_choices_of_several_prompts_follow_one_another(client: openai.OpenAI) -> None:
    """All of the first prompt come first, and a prompt is counted once."""
    # What the model is sure of, so that rounding sways nothing.
    prompts = [PROMPT, "Count: 1, 2, 3,"]
    texts_of_all = [" Paris.\n\n"] * 2 + [" 4, "] * 2
    done = _done(client, prompts, n=2)
    assert _texts(done) == texts_of_all
    assert done.usage is not None
    assert done.usage.prompt_tokens == 5 + 11
    streamed = _streamed(client, prompts, n=2, stream_options={"include_usage": True})
    texts = [""] * 4
    for chunk in streamed[:-1]:
        texts[chunk.choices[0].index] += chunk.choices[0].text
    assert texts == texts_of_all
    assert streamed[-1].usage is not None
    assert streamed[-1].usage.prompt_tokens == 16


def test_echo_puts_the_prompt_before_the_text(client: openai.OpenAI, engine: Engine) -> None:
    """Whole and streamed, of texts and of tokens; without tokens to generate it is alone."""
    tokens = engine.model.tokenize("One, two", add_special=True, parse_special=True)
    rest = _texts(_done(client, "One, two"))[0]
    assert _texts(_done(client, "One, two", echo=True)) == ["One, two" + rest]
    assert _texts(_done(client, tokens, echo=True)) == ["One, two" + rest]
    assert _texts(_done(client, ["One, two"], echo=True)) == ["One, two" + rest]
    chunks = _streamed(client, "One, two", echo=True)
    assert "".join(chunk.choices[0].text for chunk in chunks) == "One, two" + rest
    done = _done(client, "One, two", echo=True, max_tokens=0)
    assert _texts(done) == ["One, two"]
    assert done.usage is not None
    assert done.usage.completion_tokens == 0


def test_logprobs_are_in_the_old_form(client: openai.OpenAI) -> None:
    """Lists of tokens, of their logprobs, of the likeliest at each place, and where they stand."""
    logprobs = _done(client, logprobs=2).choices[0].logprobs
    assert logprobs is not None
    assert logprobs.tokens == [" Paris", ".", "\n", "\n"]
    assert logprobs.text_offset == [0, 6, 7, 8]
    assert logprobs.top_logprobs is not None
    assert logprobs.token_logprobs is not None
    assert [len(top) for top in logprobs.top_logprobs] == [2] * 4
    for token, logprob, top in zip(
        logprobs.tokens, logprobs.token_logprobs, logprobs.top_logprobs, strict=True
    ):
        assert top[token] == logprob == max(top.values())
    chunks = [chunk.choices[0].logprobs for chunk in _streamed(client, logprobs=0)]
    told = [one for one in chunks if one is not None]
    assert [token for one in told for token in one.tokens or []] == logprobs.tokens
    assert [place for one in told for place in one.text_offset or []] == logprobs.text_offset


def test_best_of_chooses_the_likeliest(client: openai.OpenAI) -> None:
    """Of several answers those are told whose tokens are likeliest, and all are counted."""
    every = _done(client, n=6, seed=3, temperature=1.5, logprobs=0)
    best = _done(client, n=2, best_of=6, seed=3, temperature=1.5, logprobs=0)

    def mean(done: Completion, index: int) -> float:
        logprobs = done.choices[index].logprobs
        assert logprobs is not None
        assert logprobs.token_logprobs
        return sum(filter(None, logprobs.token_logprobs)) / len(logprobs.token_logprobs)

    means = sorted((mean(every, index) for index in range(6)), reverse=True)
    assert [mean(best, index) for index in range(2)] == pytest.approx(means[:2], abs=0.05)
    assert best.usage is not None
    assert best.usage.completion_tokens > 8


def test_stop_strings_and_schemas_hold(client: openai.OpenAI) -> None:
    """What chat completions know, text completions know too."""
    done = _done(client, "Count: 1, 2, 3,", max_tokens=40, stop="7")
    assert (_texts(done), done.choices[0].finish_reason) == ([" 4, 5, 6, "], "stop")
    schema = {"type": "object", "properties": {"a": {"enum": [1]}}, "required": ["a"]}
    done = _done(client, "JSON:", max_tokens=40, extra_body={"json_schema": schema})
    assert "".join(_texts(done)[0].split()) == '{"a":1}'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"suffix": "!"}, "middle token is missing"),
        ({"prompt": []}, "must not be empty"),
        ({"prompt": ["a"] * 129}, "at most 128"),
        ({"prompt": [[1], 2]}, "mixes"),
        ({"prompt": [49152]}, "no token 49152"),
        ({"prompt": [-1]}, "no token -1"),
        ({"best_of": 1, "n": 2}, "less than n"),
        ({"logprobs": 21}, "logprobs is 21"),
        ({"n": 17}, "n is 17"),
    ],
)
def test_what_cannot_be_done_is_said(
    client: openai.OpenAI, arguments: dict[str, Any], said: str
) -> None:
    """Each is a 400 with the reason."""
    with pytest.raises(openai.BadRequestError, match=said):
        _done(client, **arguments)


def test_whole_answers_are_chosen_not_streams(client: openai.OpenAI) -> None:
    """The best of several is known when all are complete."""
    with pytest.raises(openai.BadRequestError, match="streamed"):
        _streamed(client, best_of=2)


def test_a_prompts_own_logprobs_are_refused(http: TestClient) -> None:
    """Nothing else is told in their place."""
    body = {"prompt": "a", "echo": True, "logprobs": 1}
    answer = http.post("/v1/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (501, "not_supported_error")


def test_the_limit_is_openais_unless_settings_name_one(engine: Engine) -> None:
    """Sixteen tokens, the server's own number, or what is asked."""

    def limit(default: int | None, **fields: Any) -> int | None:
        body = msgspec.convert({"prompt": "a", **fields}, CompletionRequest)
        return body.completion_options(engine.model, default).max_tokens

    assert (limit(None), limit(99), limit(99, max_tokens=7), limit(None, n_predict=-1)) == (
        16,
        99,
        7,
        -1,
    )


def test_a_stream_tells_how_far_it_is(http: TestClient) -> None:
    """On demand each chunk has timings, and the prompt's batches have chunks of their own."""
    body = {"prompt": "Once upon a time, " * 9, "max_tokens": 3, "temperature": 0, "stream": True}
    asked = body | {"timings_per_token": True, "return_progress": True}
    lines = http.post("/v1/completions", json=asked).text.split("\n\n")
    chunks = [msgspec.json.decode(line[6:]) for line in lines if line.startswith("data: {")]
    progress = [chunk["prompt_progress"] for chunk in chunks if "prompt_progress" in chunk]
    assert progress[-1]["total"] == progress[-1]["processed"] > 30
    assert all("timings" in chunk for chunk in chunks)
    assert [chunk["timings"]["predicted_n"] for chunk in chunks[-4:]] == [1, 2, 3, 3]
    plain = http.post("/v1/completions", json=body).text
    assert "progress" not in plain
    assert plain.count("timings") == 1
