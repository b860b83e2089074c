"""Tests of llama-server's own `/completion`, with the real model.

Where a value is spelled out, llama-server of the same source answered with it.
"""

import math
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

PROMPT = "The capital of France is"
# The fields of llama-server's answers.
FINAL = {
    "index", "content", "tokens", "id_slot", "stop", "model", "tokens_predicted",
    "tokens_evaluated", "generation_settings", "prompt", "has_new_line", "truncated", "stop_type",
    "stopping_word", "tokens_cached", "timings",
}  # fmt: skip
PARTIAL = {
    "index", "content", "tokens", "stop", "id_slot", "tokens_predicted", "tokens_evaluated",
}  # fmt: skip


def _ask(http: TestClient, **fields: Any) -> Any:
    body = {"prompt": PROMPT, "n_predict": 4, "temperature": 0} | fields
    answer = http.post("/completion", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _stream(http: TestClient, **fields: Any) -> list[dict[str, Any]]:
    body = {"prompt": PROMPT, "n_predict": 4, "temperature": 0, "stream": True} | fields
    text = http.post("/completion", json=body).text
    return [msgspec.json.decode(line[6:]) for line in text.split("\n\n") if line]


def test_an_answer_has_llama_servers_fields(http: TestClient) -> None:
    """All of them, with the values that it gives."""
    done = _ask(http)
    assert set(done) == FINAL
    told = {name: done[name] for name in FINAL - {"generation_settings", "timings", "model"}}
    assert told == {
        "index": 0,
        "content": " Paris.\n\n",
        "tokens": [],
        "id_slot": -1,
        "stop": True,
        "tokens_predicted": 4,
        "tokens_evaluated": 5,
        "prompt": PROMPT,
        "has_new_line": True,
        "truncated": False,
        "stop_type": "limit",
        "stopping_word": "",
        "tokens_cached": 8,
    }
    assert done["timings"]["predicted_n"] == 4
    assert http.post("/completions", json={"prompt": PROMPT, "n_predict": 1}).json()["stop"]


def test_settings_are_told_as_they_hold(http: TestClient) -> None:
    """What was asked for, and llama-server's defaults for the rest."""
    told = _ask(http, seed=7, stop="x", logit_bias=[[5, 1.5]], grammar='root ::= "a"*')
    settings = told["generation_settings"]
    asked = {"seed": 7, "temperature": 0.0, "n_predict": 4, "stop": ["x"], "stream": False}
    defaults = {"top_k": 40, "top_p": 0.95, "min_p": 0.05, "dry_base": 1.75, "lora": []}
    for name, value in (asked | defaults).items():
        assert settings[name] == value
    assert settings["logit_bias"] == [{"bias": 1.5, "token": 5}]
    assert settings["grammar"] == 'root ::= "a"*'
    assert _ask(http)["generation_settings"]["seed"] == 2**32 - 1


def test_a_stop_string_is_named(http: TestClient) -> None:
    """It is no part of the text, but its tokens are counted and told."""
    done = _ask(http, prompt="Count: 1, 2, 3,", n_predict=40, stop=["7"], return_tokens=True)
    assert (done["content"], done["stop_type"], done["stopping_word"]) == (
        " 4, 5, 6, ",
        "word",
        "7",
    )
    assert (done["tokens_predicted"], done["tokens_cached"]) == (11, 21)
    assert done["tokens"] == [216, 36, 28, 216, 37, 28, 216, 38, 28, 216, 39]


def test_an_end_by_the_model_is_told(http: TestClient) -> None:
    """By a token that ends a text."""
    prompt = "<|im_start|>user\nSay hi.<|im_end|>\n<|im_start|>assistant\nhi"
    done = _ask(http, prompt=prompt, n_predict=50, logit_bias=[[2, 100]])
    assert (done["stop_type"], done["content"], done["tokens_predicted"]) == ("eos", "", 1)
    assert done["prompt"] == prompt


def test_a_stream_brings_the_text_and_then_the_rest(http: TestClient) -> None:
    """Each chunk has its tokens, though nobody asked; the last has no text, and all that counts."""
    *chunks, last = _stream(http)
    assert all(set(chunk) == PARTIAL for chunk in chunks)
    assert [chunk["content"] for chunk in chunks] == [" Paris", ".", "\n", "\n"]
    assert [chunk["tokens"] for chunk in chunks] == [[7042], [30], [198], [198]]
    assert [chunk["tokens_predicted"] for chunk in chunks] == [1, 2, 3, 4]
    assert set(last) == FINAL
    assert (last["content"], last["tokens"], last["stop"]) == ("", [], True)
    assert (last["has_new_line"], last["stop_type"]) == (True, "limit")


def test_several_prompts_give_a_list(http: TestClient) -> None:
    """In the order of the prompts, each so many times; a single answer is no list."""
    done = _ask(http, prompt=[PROMPT, "Count: 1, 2, 3,"], n_cmpl=2)
    assert [one["index"] for one in done] == [0, 1, 2, 3]
    assert [one["content"] for one in done] == [" Paris.\n\n"] * 2 + [" 4, "] * 2
    assert _ask(http, prompt=[PROMPT])["content"] == " Paris.\n\n"


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ([504, 3575, "of France is"], "The capitalof France is"),
        ({"prompt_string": "Hello"}, "Hello"),
        ([[504, 3575]], "The capital"),
    ],
)
def test_prompts_are_told_as_text(http: TestClient, prompt: Any, shown: str) -> None:
    """Whatever form they had."""
    assert _ask(http, prompt=prompt)["prompt"] == shown


def test_only_the_fields_asked_for_are_told(http: TestClient) -> None:
    """With their paths as names; what is not there is left out."""
    fields = ["content", "generation_settings/n_predict", "nope", "content/nope"]
    assert _ask(http, response_fields=fields) == {
        "content": " Paris.\n\n",
        "generation_settings/n_predict": 4,
    }


def test_likelihoods_are_the_models_own(http: TestClient) -> None:
    """Before any sampler, as logarithms; whole and streamed."""
    probs = _ask(http, n_probs=2)["completion_probabilities"]
    assert [one["id"] for one in probs] == [7042, 30, 198, 198]
    assert probs[0]["bytes"] == list(b" Paris")
    assert probs[0]["logprob"] == pytest.approx(-0.25, abs=0.1)
    assert [one["id"] for one in probs[0]["top_logprobs"]] == [7042, 260]
    *chunks, last = _stream(http, n_probs=2)
    assert [chunk["completion_probabilities"][0]["id"] for chunk in chunks] == [
        one["id"] for one in probs
    ]
    assert "completion_probabilities" not in last


def test_likelihoods_after_sampling(http: TestClient) -> None:
    """As probabilities that sum to 1, of the few tokens that the samplers leave."""
    fields = {"n_probs": 9, "post_sampling_probs": True, "seed": 1}
    probs = _ask(http, temperature=0.8, top_k=3, min_p=0, top_p=1, **fields)[
        "completion_probabilities"
    ]
    for one in probs:
        rivals = {rival["id"]: rival["prob"] for rival in one["top_probs"]}
        assert len(rivals) == 3
        assert math.fsum(rivals.values()) == pytest.approx(1, abs=1e-4)
        assert rivals[one["id"]] == pytest.approx(one["prob"])
        assert list(rivals.values()) == sorted(rivals.values(), reverse=True)
    sure = _ask(http, **fields)["completion_probabilities"]
    assert [(one["prob"], len(one["top_probs"])) for one in sure] == [(1.0, 1)] * 4


def test_likelihoods_after_sampling_obey_a_grammar(http: TestClient) -> None:
    """Only what the grammar allows is left where the model wanted something else."""
    done = _ask(
        http,
        temperature=0.8,
        n_probs=5,
        post_sampling_probs=True,
        grammar='root ::= "zebra" | "quark"',
        n_predict=20,
    )
    assert done["content"] in ("zebra", "quark")
    for one in done["completion_probabilities"]:
        assert 0 < one["prob"] <= 1


def test_watching_does_not_change_the_text(http: TestClient) -> None:
    """The same seed chooses the same tokens, whether or not likelihoods are told."""
    fields = {"temperature": 1.0, "seed": 3, "n_predict": 12, "prompt": "Once"}
    plain = _ask(http, **fields)["content"]
    assert plain == _ask(http, n_probs=3, post_sampling_probs=True, **fields)["content"]


def test_progress_and_timings_are_told_on_demand(http: TestClient) -> None:
    """The prompt's batches have chunks of their own, and every chunk has timings."""
    prompt = "Far away, " * 30
    chunks = _stream(http, prompt=prompt, timings_per_token=True, return_progress=True)
    progress = [chunk["prompt_progress"] for chunk in chunks if "prompt_progress" in chunk]
    assert progress[-1]["processed"] == progress[-1]["total"] == chunks[0]["tokens_evaluated"]
    assert all("timings" in chunk for chunk in chunks)
    assert all("prompt_progress" not in chunk for chunk in _stream(http, timings_per_token=True))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": []}, "must not be empty"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": [49152]}, "no token 49152"),
        ({"prompt": {"prompt_string": "a", "multimodal_data": ["x"]}}, "no images"),
        ({"temperature": "hot"}, "temperature"),
        ({"n_cmpl": 99}, "n is 99"),
        ({"n_probs": 1001}, "n_probs is 1001"),
        ({"grammar": "bad ::"}, "grammar"),
    ],
)
def test_what_cannot_be_done_is_said(http: TestClient, fields: dict[str, Any], said: str) -> None:
    """Each is a 400 with the reason, as in llama-server."""
    answer = http.post("/completion", json={"prompt": PROMPT, "n_predict": 1} | fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert said in error["message"]


def test_a_prompt_that_is_too_long_is_told_with_sizes(http: TestClient) -> None:
    """By llama-server's own type."""
    error = http.post("/completion", json={"prompt": "x " * 3000}).json()["error"]
    assert (error["type"], error["n_ctx"]) == ("exceed_context_size_error", 1024)
    assert error["n_prompt_tokens"] == 3001
