"""Tests of text-generation-inference's routes, with Hugging Face's client and the real model."""

import json
import re
import time
from typing import Any

import httpx
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import ValidationError

PROMPT = "The capital of France is"


def _posted(url: str, path: str, **body: Any) -> httpx.Response:
    return httpx.post(url + path, json={"inputs": PROMPT} | body, timeout=60)


def _events(url: str, **parameters: Any) -> list[dict[str, Any]]:
    response = _posted(url, "/generate_stream", parameters=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = response.text.splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line]


def test_the_client_gets_a_text(hf: InferenceClient) -> None:
    """The root gives the prompt back, too, unless told otherwise; and greedy is the default."""
    text = hf.text_generation(PROMPT, max_new_tokens=8, return_full_text=False)
    assert "Paris" in text
    assert hf.text_generation(PROMPT, max_new_tokens=8) == PROMPT + text


def test_the_client_gets_details(hf: InferenceClient) -> None:
    """Each token has its own text and likelihood; together they are the whole text."""
    done = hf.text_generation(
        PROMPT, details=True, max_new_tokens=8, top_n_tokens=2, return_full_text=False
    )
    assert done.details is not None
    tokens = done.details.tokens
    assert "".join(token.text for token in tokens) == done.generated_text
    assert (len(tokens), done.details.generated_tokens) == (8, 8)
    assert (done.details.finish_reason, done.details.seed) == ("length", None)
    assert all(token.logprob <= 0 for token in tokens)
    assert done.details.top_tokens is not None
    assert [len(rivals) for rivals in done.details.top_tokens] == [2] * 8
    # The client leaves lists of lists as they came.
    top_tokens: Any = done.details.top_tokens
    assert [rivals[0]["id"] for rivals in top_tokens] == [token.id for token in tokens]


def test_the_client_gets_a_stream(hf: InferenceClient) -> None:
    """The texts of all tokens are the text of the same request unstreamed."""
    texts = list(hf.text_generation(PROMPT, stream=True, max_new_tokens=8))
    assert len(texts) == 8
    whole = hf.text_generation(PROMPT, max_new_tokens=8, return_full_text=False)
    assert "".join(texts) == whole
    details = list(hf.text_generation(PROMPT, stream=True, details=True, max_new_tokens=8))
    assert [one.index for one in details] == list(range(1, 9))
    assert all(one.generated_text is None and one.details is None for one in details[:-1])
    last = details[-1]
    assert last.generated_text == PROMPT + whole
    assert last.details is not None
    assert (last.details.finish_reason, last.details.generated_tokens) == ("length", 8)
    assert last.details.input_length == 5


def test_the_client_gets_its_own_errors(hf: InferenceClient) -> None:
    """What is wrong with a request is its ValidationError, streamed or not."""
    for stream in (False, True):
        with pytest.raises(ValidationError, match="max_new_tokens is 0"):
            list(hf.text_generation(PROMPT, max_new_tokens=0, stream=stream))


def test_each_token_has_its_piece_of_the_text(url: str) -> None:
    """A character of several tokens comes with the last of them, and nothing is cut."""
    grammar = {"type": "regex", "value": "(😀é漢){2}"}
    events = _events(url, max_new_tokens=100, grammar=grammar, details=True)
    texts = [event["token"]["text"] for event in events]
    assert "".join(texts) == "😀é漢" * 2
    assert "" in texts[:-1]
    assert events[-1]["generated_text"] == "😀é漢" * 2


def test_the_token_that_ends_is_told(url: str) -> None:
    """It is special, has no text, and is counted."""
    events = _events(url, max_new_tokens=9, grammar={"type": "regex", "value": "yes"}, details=True)
    last = events[-1]
    assert (last["token"]["special"], last["token"]["text"]) == (True, "")
    assert last["details"]["finish_reason"] == "eos_token"
    assert last["details"]["generated_tokens"] == len(events) >= 2
    assert [event["token"]["special"] for event in events[:-1]] == [False] * (len(events) - 1)


@pytest.mark.parametrize("stop", [" five", "five", ", f", "four, fi"])
def test_a_stop_string_is_part_of_the_text(url: str, stop: str) -> None:
    """It ends the text, and the texts of the tokens are still the whole."""
    counting = {"type": "regex", "value": "one, two, three, four, five, six"}
    parameters = {"max_new_tokens": 30, "stop": [stop], "grammar": counting, "details": True}
    events = _events(url, **parameters)
    whole = "one, two, three, four, five, six".partition(stop)[0] + stop
    assert "".join(event["token"]["text"] for event in events) == whole
    last = events[-1]
    assert last["generated_text"] == whole
    assert last["details"]["finish_reason"] == "stop_sequence"
    assert last["details"]["generated_tokens"] == len(events)
    told = _posted(url, "/generate", parameters=parameters).json()
    assert told["generated_text"] == whole
    assert "".join(token["text"] for token in told["details"]["tokens"]) == whole
    assert told["details"]["tokens"][:-1] == [event["token"] for event in events[:-1]]


def test_the_root_answers_with_a_list(url: str) -> None:
    """So it does there; `/generate` answers with the object itself."""
    parameters = {"max_new_tokens": 3}
    (one,) = _posted(url, "/", parameters=parameters).json()
    same = _posted(url, "/generate", parameters=parameters).json()
    assert one == {"generated_text": PROMPT + same["generated_text"]}
    stream = _posted(url, "/", parameters=parameters, stream=True)
    assert stream.headers["content-type"].startswith("text/event-stream")


def test_headers_tell_what_it_took(url: str) -> None:
    """Times are in milliseconds."""
    headers = _posted(url, "/generate", parameters={"max_new_tokens": 3}).headers
    assert (headers["x-prompt-tokens"], headers["x-generated-tokens"]) == ("5", "3")
    assert headers["x-compute-type"] == "cpu"
    assert headers["x-compute-characters"] == str(len(PROMPT))
    times = ("total", "validation", "queue", "inference")
    total, *parts = (int(headers[f"x-{name}-time"]) for name in times)
    assert sum(parts) <= total + 3
    assert int(headers["x-time-per-token"]) <= total


def test_the_likeliest_of_several_comes_first(url: str) -> None:
    """The others are told with the details; each has the seed that repeats it."""
    parameters = {
        "best_of": 3, "temperature": 1.5, "max_new_tokens": 6, "details": True, "seed": 5,
    }  # fmt: skip
    told = _posted(url, "/generate", parameters=parameters).json()
    sequences = [told["details"], *told["details"]["best_of_sequences"]]
    means = [
        sum(token["logprob"] for token in one["tokens"]) / len(one["tokens"]) for one in sequences
    ]
    assert means == sorted(means, reverse=True)
    assert {one["seed"] for one in sequences} == {5, 6, 7}
    plain = _posted(url, "/generate", parameters=parameters | {"details": False}).json()
    assert plain == {"generated_text": told["generated_text"]}


def test_a_drawn_seed_repeats_the_text(url: str) -> None:
    """The details tell it where the request had none."""
    parameters = {"do_sample": True, "temperature": 2.0, "max_new_tokens": 8, "details": True}
    first = _posted(url, "/generate", parameters=parameters).json()
    seed = first["details"]["seed"]
    again = _posted(url, "/generate", parameters=parameters | {"seed": seed}).json()
    assert again["generated_text"] == first["generated_text"]


def test_truncation_keeps_the_end(url: str) -> None:
    """Only the last tokens of the prompt count."""
    headers = _posted(url, "/generate", parameters={"truncate": 2, "max_new_tokens": 1}).headers
    assert headers["x-prompt-tokens"] == "2"


def test_a_schema(url: str) -> None:
    """The text is JSON that satisfies it."""
    schema = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}}
    grammar = {"type": "json", "value": schema | {"required": ["city"]}}
    told = _posted(url, "/generate", parameters={"grammar": grammar, "max_new_tokens": 60}).json()
    assert json.loads(told["generated_text"])["city"] in ("Paris", "Rome")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"inputs": ""}, "inputs is empty"),
        ({"inputs": 5}, r"Expected `str`, got `int` - at `\$.inputs`"),
        ({"inputs": "a " * 600}, "the context holds 512"),
        ({"parameters": {"max_new_tokens": 510}}, "max_new_tokens is 510, and the context"),
        ({"parameters": {"watermark": True}}, "watermark"),
        ({"parameters": {"adapter_id": "x"}}, "no adapter is called that"),
        ({"parameters": {"top_p": 7}}, "top_p is 7"),
        ({"parameters": {"grammar": {"type": "bnf", "value": ""}}}, "grammar.type"),
    ],
)
@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/"])
def test_what_cannot_be_done(url: str, path: str, body: dict[str, Any], reason: str) -> None:
    """It is a 422 with text-generation-inference's type, before a stream begins, too."""
    response = _posted(url, path, **body)
    told = response.json()
    assert (response.status_code, told["error_type"]) == (422, "validation")
    assert re.search(reason, told["error"])


def test_a_client_that_leaves_ends_its_request(url: str) -> None:
    """The engine has nothing to do soon after."""
    body = {"inputs": "Once", "parameters": {"max_new_tokens": 500}}
    with httpx.stream("POST", f"{url}/generate_stream", json=body, timeout=60) as response:
        next(response.iter_lines())
    deadline = time.monotonic() + 10
    while "tgi_batch_current_size 0\n" not in httpx.get(f"{url}/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_info(url: str) -> None:
    """It names the model and the limits."""
    told = httpx.get(f"{url}/info").json()
    assert (told["model_id"], told["max_total_tokens"]) == ("tested", 512)
    assert told["model_pipeline_tag"] == "text-generation"
