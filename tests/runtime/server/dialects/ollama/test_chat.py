"""Tests of `/api/chat` with Ollama's client and the real model."""

import json
import urllib.request
from typing import Any

import ollama
import pytest

from tests.runtime.server.dialects.conftest import num_running, wait_until_idle

QUESTION = [{"role": "user", "content": "Name the capital of France."}]
GREEDY = {"temperature": 0}
ENDLESS = [{"role": "user", "content": "Count from 1 to 1000, one number a line."}]


def test_an_answer_comes_whole(client: ollama.Client) -> None:
    """It has the text, why it ended, and what it took."""
    done = client.chat("any:name", QUESTION, options=GREEDY)
    assert done.model == "any:name"
    assert done.message.role == "assistant"
    assert "Paris" in (done.message.content or "")
    assert (done.done, done.done_reason) == (True, "stop")
    assert done.prompt_eval_count
    assert done.eval_count
    durations = (done.total_duration, done.prompt_eval_duration, done.eval_duration)
    assert all(one and one > 0 for one in durations)
    assert (done.total_duration or 0) < 120e9
    assert done.message.tool_calls is None
    assert done.message.thinking is None


def test_an_answer_is_streamed(client: ollama.Client) -> None:
    """Pieces make up the same text; only the last line is done, and has the figures."""
    whole = client.chat("any", QUESTION, options=GREEDY)
    parts = list(client.chat("any", QUESTION, options=GREEDY, stream=True))
    assert "".join(part.message.content or "" for part in parts) == whole.message.content
    assert len(parts) > 3
    assert [part.done for part in parts] == [*[False] * (len(parts) - 1), True]
    assert parts[-1].eval_count == whole.eval_count
    assert parts[-1].done_reason == "stop"


def test_lines_are_what_comes_where_nothing_is_said(chat_url: str) -> None:
    """Without `stream` an answer is streamed, as JSON in lines."""
    body = {"model": "any", "messages": QUESTION, "options": {"num_predict": 3}}
    request = urllib.request.Request(f"{chat_url}/api/chat", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as response:
        assert response.headers["Content-Type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in response]
    assert lines[0]["message"]["role"] == "assistant"
    assert lines[-1]["done_reason"] == "length"
    assert lines[-1]["eval_count"] == 3


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_constrains_the_answer(client: Any, stream: bool) -> None:
    """With a schema as `format` the text satisfies it; with `json` it is an object."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "big": {"type": "boolean"}},
        "required": ["city", "big"],
    }
    answer: Any = client.chat("any", QUESTION, format=schema, options=GREEDY, stream=stream)
    parts = answer if stream else [answer]
    value = json.loads("".join(part.message.content or "" for part in parts))
    assert set(value) == {"city", "big"}
    assert isinstance(value["big"], bool)


def test_json_is_an_object(client: ollama.Client) -> None:
    """The format `json` allows any object."""
    asked = [{"role": "user", "content": "Answer with JSON: the capital of France."}]
    done = client.chat("any", asked, format="json", options={**GREEDY, "num_predict": 200})
    assert (done.message.content or "").lstrip().startswith("{")


def test_options_are_heard(client: ollama.Client) -> None:
    """A stop string and a limit, also as numbers with a fraction of zero."""
    stopped = client.chat("any", QUESTION, options={**GREEDY, "stop": ["Paris"]})
    assert "Paris" not in (stopped.message.content or "")
    assert stopped.done_reason == "stop"
    options = {"seed": 7.0, "num_predict": 8.0, "top_k": 40.0, "num_ctx": 4096, "temperature": 0}
    cut = client.chat("any", ENDLESS, options=options)
    assert (cut.eval_count, cut.done_reason) == (8, "length")


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_come_with_every_token(client: Any, stream: bool) -> None:
    """Asked for, each token comes with its likelihood and its rivals."""
    answer: Any = client.chat(
        "any",
        QUESTION,
        options={**GREEDY, "num_predict": 5},
        logprobs=True,
        top_logprobs=2,
        stream=stream,
    )
    parts = list(answer) if stream else [answer]
    tokens = [token for part in parts for token in part.logprobs or ()]
    assert "".join(token.token for token in tokens) == "".join(
        part.message.content or "" for part in parts
    )
    assert all(len(token.top_logprobs or ()) == 2 for token in tokens)
    assert all(token.logprob <= 0 for token in tokens)


@pytest.mark.parametrize(
    ("keep_alive", "reason"),
    [(None, "load"), ("5m", "load"), (-1, "load"), (0, "unload"), ("0s", "unload")],
)
def test_without_messages_nothing_is_said(
    client: ollama.Client, keep_alive: Any, reason: str
) -> None:
    """Clients load and unload a model like this."""
    done = client.chat("any", keep_alive=keep_alive)
    assert (done.done, done.done_reason, done.message.content) == (True, reason, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"think": True}, "This model does not support thinking"),
        ({"think": "low"}, "This model does not support thinking"),
        ({"think": "a bit"}, "think is a bit, and may be true, false, low"),
        ({"format": {"type": "object", "not": {}}}, "not"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs is 21"),
        ({"options": {"temperature": -1}}, "temperature is -1"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_done_is_said(
    client: Any, arguments: dict[str, Any], message: str, stream: bool
) -> None:
    """A field that has no sense here is a 400 that names it, in a stream, too."""
    with pytest.raises(ollama.ResponseError, match=message) as caught:
        list(client.chat("any", QUESTION, stream=stream, **arguments))
    assert caught.value.status_code == 400


def test_images_are_refused(client: ollama.Client) -> None:
    """No model here sees, and a text that ignores an image would be worse."""
    asked = [{"role": "user", "content": "What is this?", "images": [b"\x89PNG"]}]
    with pytest.raises(ollama.ResponseError, match="This model takes no images") as caught:
        client.chat("any", asked)
    assert caught.value.status_code == 400


def test_think_may_be_false(client: ollama.Client) -> None:
    """A model that does not think may be told not to."""
    assert client.chat("any", QUESTION, think=False, options=GREEDY).done


def test_a_closed_stream_ends_the_work(client: ollama.Client, chat_url: str) -> None:
    """When the client goes, the engine stops at the next batch."""
    parts = client.chat("any", ENDLESS, options=GREEDY, stream=True)
    next(parts)
    assert num_running(chat_url) == 1
    parts.close()  # type: ignore[attr-defined]  # a generator, called an iterator
    wait_until_idle(chat_url)
