"""A real solofile, asked by Anthropic's own client."""

import json
import time
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.solofile import ServedSolofile

# The client knows no temperature any more, and the API still does.
ASKED: dict[str, Any] = {
    "model": "any",
    "max_tokens": 60,
    "messages": [{"role": "user", "content": "Name the capital of France."}],
    "extra_body": {"temperature": 0},
}
WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    },
}


@pytest.fixture(scope="module")
def client(served: ServedSolofile) -> Iterator[Any]:
    """Anthropic's client, pointed at the solofile."""
    with anthropic.Anthropic(base_url=served.url, api_key="none", max_retries=0) as client:
        yield client


def test_a_message_and_its_stream(client: Any) -> None:
    """The same text, whole and in pieces; the prompt is counted alike."""
    whole = client.messages.create(**ASKED)
    assert "Paris" in whole.content[0].text
    with client.messages.stream(**ASKED) as stream:
        assert "".join(stream.text_stream) == whole.content[0].text
    usage = stream.get_final_message().usage
    count = client.messages.count_tokens(model="any", messages=ASKED["messages"])
    assert usage.input_tokens + usage.cache_read_input_tokens == count.input_tokens
    assert usage.cache_read_input_tokens > 0


def test_a_tool_is_called(client: Any) -> None:
    """Where it must be, with an input that fits its schema, in a stream, too."""
    once = {"type": "any", "disable_parallel_tool_use": True}
    asked = ASKED | {"tools": [WEATHER], "tool_choice": once, "max_tokens": 200}
    with client.messages.stream(**asked) as stream:
        done = stream.get_final_message()
    call = next(block for block in done.content if block.type == "tool_use")
    assert call.name == "get_weather"
    assert list(call.input) == ["city"]
    assert done.stop_reason == "tool_use"
    answered = [
        *asked["messages"],
        {"role": "assistant", "content": [block.to_dict() for block in done.content]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": block.id, "content": "Sunny."}
                for block in done.content
                if block.type == "tool_use"
            ],
        },
    ]
    after = client.messages.create(**ASKED | {"messages": answered}, tools=[WEATHER])
    assert after.content


def test_a_schema(client: Any) -> None:
    """The message is what the schema says."""
    schema = {"type": "object", "properties": {"big": {"type": "boolean"}}, "required": ["big"]}
    output = {"format": {"type": "json_schema", "schema": schema}}
    done = client.messages.create(**ASKED, output_config=output)
    assert isinstance(json.loads(done.content[0].text)["big"], bool)


def test_a_closed_stream_ends_the_work(client: Any, served: ServedSolofile) -> None:
    """When the client goes, the engine stops."""
    before = served.metrics()['solofile:requests_finished_total{reason="cancelled"}']
    messages = [{"role": "user", "content": "Count from 1 to 1000, one number a line."}]
    with client.messages.stream(**ASKED | {"messages": messages, "max_tokens": 400}) as stream:
        next(iter(stream.text_stream))
    deadline = time.monotonic() + 10
    while served.metrics()['solofile:requests_finished_total{reason="cancelled"}'] == before:
        assert time.monotonic() < deadline, "the engine goes on"
        time.sleep(0.05)


def test_an_error(client: Any) -> None:
    """The client gets the status and the sentence, in Anthropic's form."""
    with pytest.raises(anthropic.BadRequestError, match="max_tokens is 0") as caught:
        client.messages.create(**ASKED | {"max_tokens": 0})
    body: Any = caught.value.body
    assert body["error"]["type"] == "invalid_request_error"
