"""Tests of `/v1/messages` with Anthropic's client and the real model."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam, ToolParam

from tests.runtime.server.dialects.conftest import num_running, wait_until_idle

SYSTEM = "You are a helpful assistant."
QUESTION: list[MessageParam] = [{"role": "user", "content": "Name the capital of France."}]
ENDLESS: list[MessageParam] = [
    {"role": "user", "content": "Count from 1 to 1000, one number a line."}
]
# The client knows no temperature any more, and the API still does.
GREEDY = {"temperature": 0}
ASKED: dict[str, Any] = {
    "model": "any",
    "messages": QUESTION,
    "max_tokens": 50,
    "extra_body": GREEDY,
}
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    },
}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
LINKED_IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
MARK: Any = {"type": "ephemeral"}
CLOCK: ToolParam = {"name": "now", "input_schema": {"type": "object", "properties": {}}}


def test_a_message_is_answered(client: anthropic.Anthropic) -> None:
    """It has a block of text, why it ended, and what it took; the second time, cached."""
    client.messages.create(**ASKED, system=SYSTEM)
    done = client.messages.create(**ASKED, system=SYSTEM)
    [block] = done.content
    assert block.type == "text"
    assert "Paris" in block.text
    assert (done.type, done.role, done.model) == ("message", "assistant", "tested")
    assert (done.stop_reason, done.stop_sequence) == ("end_turn", None)
    count = client.messages.count_tokens(model="any", messages=QUESTION, system=SYSTEM)
    cached = done.usage.cache_read_input_tokens or 0
    assert cached > 0
    assert done.usage.input_tokens + cached == count.input_tokens
    assert done.usage.output_tokens > 1


def test_a_message_is_streamed(client: Any) -> None:
    """The client builds from the events what it gets whole."""
    whole = client.messages.create(**ASKED)
    with client.messages.stream(**ASKED) as stream:
        kinds = [event.type for event in stream]
        done = stream.get_final_message()
    assert done.content[0].text == whole.content[0].text
    assert (done.stop_reason, done.stop_sequence) == (whole.stop_reason, whole.stop_sequence)
    assert done.usage.output_tokens == whole.usage.output_tokens
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert kinds.count("text") > 3


def test_a_stop_sequence_and_a_limit(client: anthropic.Anthropic) -> None:
    """The sequence that ended a message is told, and is not part of it."""
    stopped = client.messages.create(**ASKED, stop_sequences=["Rome", "Paris"])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "Paris")
    assert "Paris" not in stopped.content[0].text
    cut = client.messages.create(**ASKED | {"max_tokens": 3})
    assert (cut.stop_reason, cut.usage.output_tokens) == ("max_tokens", 3)


def test_a_begun_answer_goes_on(client: anthropic.Anthropic) -> None:
    """A last message of the assistant's is the answer's beginning."""
    messages: list[MessageParam] = [
        *QUESTION,
        {"role": "assistant", "content": "The capital of France is Par"},
    ]
    done = client.messages.create(**ASKED | {"messages": messages}, system=SYSTEM)
    assert done.content[0].text.startswith("is")


@pytest.mark.parametrize("name", ["output_config", "output_format"])
def test_a_schema_constrains_the_message(client: anthropic.Anthropic, name: str) -> None:
    """Structured outputs, as they are asked for now and as they were before."""
    schema = {"type": "object", "properties": {"n": {"type": "boolean"}}, "required": ["n"]}
    asked = {"type": "json_schema", "schema": schema}
    body = {name: {"format": asked} if name == "output_config" else asked}
    done = client.messages.create(**ASKED | {"extra_body": GREEDY | body})
    assert isinstance(json.loads(done.content[0].text)["n"], bool)


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}])
def test_a_tool_has_to_be_called(client: Any, choice: dict[str, Any]) -> None:
    """Where it must, the model calls a tool; whole and streamed alike."""
    asked = ASKED | {"messages": [{"role": "user", "content": "How is the weather in Rome?"}]}
    asked |= {"tools": [WEATHER] if choice["type"] == "any" else [CLOCK, WEATHER]}
    asked |= {"tool_choice": {**choice, "disable_parallel_tool_use": True}, "max_tokens": 200}
    done = client.messages.create(**asked)
    [call] = [block for block in done.content if block.type == "tool_use"]
    assert call.name == "get_weather"
    assert isinstance(call.input["city"], str)
    assert call.id
    assert done.stop_reason == "tool_use"
    with client.messages.stream(**asked) as stream:
        events = list(stream)
        streamed = stream.get_final_message()
    [same] = [block for block in streamed.content if block.type == "tool_use"]
    assert same.name == call.name
    assert isinstance(same.input["city"], str)
    assert streamed.stop_reason == "tool_use"
    assert any(event.type == "input_json" for event in events)


def test_a_tools_result_is_answered(client: Any) -> None:
    """What a tool returned reaches the model."""
    messages = [
        {"role": "user", "content": "Which word does the tool say?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I ask it."},
                {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "Zanzibar"}],
        },
    ]
    count = client.messages.count_tokens(model="any", messages=messages, tools=[CLOCK])
    assert (
        count.input_tokens
        > client.messages.count_tokens(
            model="any", messages=messages[:1], tools=[CLOCK]
        ).input_tokens
    )
    done = client.messages.create(**ASKED | {"messages": messages}, tools=[CLOCK])
    assert done.stop_reason in ("end_turn", "max_tokens", "tool_use")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"messages": []}, "messages is empty"),
        ({"max_tokens": 0}, "max_tokens is 0, and must be at least 1"),
        ({"temperature": -1}, "temperature is -1"),
        ({"tool_choice": {"type": "any"}}, "tool_choice demands a call"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "is of the type bash_20250124"),
        (
            {"messages": [{"role": "user", "content": [IMAGE]}]},
            "This model takes no images",
        ),
        (
            {"messages": [{"role": "assistant", "content": [IMAGE]}]},
            "This model takes no images but a user's",
        ),
        (
            {"messages": [{"role": "user", "content": [LINKED_IMAGE]}]},
            "nothing is fetched for clients",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]},
            "This model takes no documents",
        ),
        ({"messages": [{"role": "user", "content": "word " * 600}]}, "the context holds 512"),
        ({"messages": [{"role": "nobody", "content": "Hi"}]}, "nobody"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_done_is_said(
    client: Any, fields: dict[str, Any], message: str, stream: bool
) -> None:
    """It is a 400 in Anthropic's form."""
    with pytest.raises(anthropic.BadRequestError, match=message) as caught:
        client.messages.create(**ASKED | {"extra_body": GREEDY | fields}, stream=stream)
    body: Any = caught.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "invalid_request_error")


def test_a_closed_stream_ends_the_work(client: anthropic.Anthropic, chat_url: str) -> None:
    """When the client goes, the engine stops at the next batch."""
    asked = ASKED | {"messages": ENDLESS, "max_tokens": 400}
    with client.messages.stream(**asked) as stream:
        next(iter(stream.text_stream))
        assert num_running(chat_url) == 1
    wait_until_idle(chat_url)


@pytest.fixture
def no_pins(chat_url: str) -> Iterator[None]:
    """Leave no pinned prompt to the tests that follow."""
    yield
    for pin in _pins(chat_url):
        url = f"{chat_url}/v1/prompts/{pin['id']}"
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=30).close()


def _usage(client: anthropic.Anthropic, **fields: Any) -> tuple[int, int, int]:
    """Return what was computed unmarked, computed before a mark, and found."""
    usage = client.messages.create(**(ASKED | {"max_tokens": 1} | fields)).usage
    created, found = usage.cache_creation_input_tokens, usage.cache_read_input_tokens
    assert created is not None
    assert found is not None
    count = client.messages.count_tokens(
        model="any", messages=fields.get("messages", QUESTION), system=fields.get("system", "")
    )
    assert usage.input_tokens + created + found == count.input_tokens
    return usage.input_tokens, created, found


@pytest.mark.usefixtures("no_pins")
def test_what_is_marked_is_counted_and_stays(client: anthropic.Anthropic, chat_url: str) -> None:
    """Computed once, then found; it is pinned for its time, and one pin grows with a chat."""
    rules = [f"Rule {number}: answer questions about ships briefly." for number in range(12)]
    system: Any = [{"type": "text", "text": " ".join(rules), "cache_control": MARK}]
    rest, created, found = _usage(client, system=system)
    assert created > 64
    assert found < 10
    [pin] = _pins(chat_url)
    assert pin["source"] == "cache_control"
    assert pin["tokens"] == created + found
    assert 200 < pin["expires_in_s"] <= 300
    assert _usage(client, system=system) == (1, 0, rest + created + found - 1)
    other: list[MessageParam] = [{"role": "user", "content": "Name a fruit."}]
    again = _usage(client, system=system, messages=other)
    assert again[1] == 0
    assert again[2] >= created + found
    hour: Any = {"type": "ephemeral", "ttl": "1h"}
    text: Any = [{"type": "text", "text": "Name a fruit and a ship.", "cache_control": hour}]
    _, created, _ = _usage(client, system=system, messages=[{"role": "user", "content": text}])
    assert created > 0
    [grown] = _pins(chat_url)
    assert grown["tokens"] > pin["tokens"]
    assert grown["expires_in_s"] > 3000


@pytest.mark.usefixtures("no_pins")
def test_a_mark_for_the_whole_request(client: anthropic.Anthropic) -> None:
    """It stands behind the last block; what is written behind that is not counted with it."""
    words = "".join(f" word{number}" for number in range(20))
    asked: list[MessageParam] = [{"role": "user", "content": f"Repeat:{words}"}]
    rest, created, _ = _usage(client, messages=asked, extra_body=GREEDY | {"cache_control": MARK})
    assert created > 20
    assert 0 < rest < 10


def test_a_mark_of_another_kind_is_refused(client: anthropic.Anthropic) -> None:
    """As by Anthropic."""
    with pytest.raises(anthropic.BadRequestError, match="cache_control"):
        client.messages.create(**ASKED | {"extra_body": {"cache_control": {"type": "eternal"}}})


def _pins(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/v1/prompts", timeout=30) as response:
        return json.load(response)["data"]
