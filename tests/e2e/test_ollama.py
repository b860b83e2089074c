"""A real solofile, asked by Ollama's own client."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ollama
import pytest

from tests.solofile import ServedSolofile

QUESTION = [{"role": "user", "content": "Name the capital of France."}]
GREEDY = {"temperature": 0}


@pytest.fixture(scope="module")
def client(served: ServedSolofile) -> Iterator[ollama.Client]:
    """Ollama's client, pointed at the solofile."""
    with ollama.Client(served.url) as client:
        yield client


def test_the_model_is_there(client: ollama.Client, solofile: Path) -> None:
    """It is listed by the name that it answers to, pulled at once, and shown."""
    [model] = client.list().models
    assert model.model
    assert model.model.startswith("SmolLM2-135M-Instruct")
    assert len(model.digest or "") == 64
    assert 0 < (model.size or 0) < solofile.stat().st_size
    assert client.pull(model.model).status == "success"
    shown = client.show(model.model)
    assert shown.details
    assert shown.details.quantization_level == "Q4_1"
    assert [running.model for running in client.ps().models] == [model.model]


def test_chat_and_stream(client: ollama.Client) -> None:
    """The same text, whole and in pieces."""
    whole = client.chat("any", QUESTION, options=GREEDY).message.content
    assert "Paris" in (whole or "")
    parts = client.chat("any", QUESTION, options=GREEDY, stream=True)
    assert "".join(part.message.content or "" for part in parts) == whole
    assert client.generate("any", QUESTION[0]["content"], options=GREEDY).response == whole


def test_a_schema(client: ollama.Client) -> None:
    """The answer is what the schema says."""
    schema = {
        "type": "object",
        "properties": {"capital": {"type": "string", "maxLength": 20}},
        "required": ["capital"],
    }
    done = client.chat("any", QUESTION, format=schema, options=GREEDY)
    # Which city is nearly a tie for a model that would rather not write JSON.
    answer = json.loads(done.message.content or "")
    assert list(answer) == ["capital"]
    assert 0 < len(answer["capital"]) <= 20


def test_tools_are_offered_and_results_read(client: ollama.Client) -> None:
    """A Python function is a tool; a conversation with a call and its result goes on."""

    def add(a: int, b: int) -> int:
        """Add two numbers.

        Args:
            a: The first.
            b: The second.
        """
        return a + b

    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "What is 2 + 2?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "add", "arguments": {"a": 2, "b": 2}}}],
        },
        {"role": "tool", "tool_name": "add", "content": "4"},
    ]
    options = {**GREEDY, "num_predict": 40}
    done = client.chat("any", messages, tools=[add], options=options)
    assert done.message.content or done.message.tool_calls
    without = client.chat("any", messages, options=options)
    assert (done.prompt_eval_count or 0) > (without.prompt_eval_count or 0)


def test_embeddings(client: ollama.Client) -> None:
    """A chat model embeds, too."""
    one, two = client.embed("any", ["The sky is blue.", "Rain falls."]).embeddings
    assert len(one) == len(two) == 576


def test_a_closed_stream_ends_the_work(client: ollama.Client, served: ServedSolofile) -> None:
    """When the client goes, the engine stops."""
    before = served.metrics()['solofile:requests_finished_total{reason="cancelled"}']
    asked = [{"role": "user", "content": "Count from 1 to 1000, one number a line."}]
    parts = client.chat("any", asked, options=GREEDY, stream=True)
    next(parts)
    parts.close()  # type: ignore[attr-defined]  # a generator, called an iterator
    deadline = time.monotonic() + 10
    while served.metrics()['solofile:requests_finished_total{reason="cancelled"}'] == before:
        assert time.monotonic() < deadline, "the engine goes on"
        time.sleep(0.05)


def test_an_error(client: ollama.Client) -> None:
    """The client gets the status and the sentence."""
    with pytest.raises(ollama.ResponseError, match="does not support thinking") as caught:
        client.chat("any", QUESTION, think=True)
    assert caught.value.status_code == 400
