"""Tests of `/v1/responses` with OpenAI's client and the real model."""

import json
from typing import Any

import openai
import pytest
from openai.types.responses import FunctionToolParam
from pydantic import BaseModel

ADD: FunctionToolParam = {
    "type": "function",
    "name": "add",
    "description": "Add two numbers.",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
    "strict": True,
}
FRANCE = "Name the capital of France."


class Colour(BaseModel):
    """What a client wants to know of a colour."""

    name: str
    is_warm: bool


def _created(client: openai.OpenAI, **arguments: Any) -> Any:
    return client.responses.create(**{"model": "any", "temperature": 0, **arguments})


def test_a_text_is_answered(client: openai.OpenAI) -> None:
    """The response has the text, the model's name, and what the request said."""
    done = _created(client, input=FRANCE, max_output_tokens=40, metadata={"a": "b"})
    assert done.output_text
    assert (done.model, done.temperature, done.metadata) == ("model", 0, {"a": "b"})
    assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens
    again = _created(client, input=FRANCE, max_output_tokens=40)
    assert again.usage.input_tokens_details.cached_tokens > 10
    assert again.id != done.id


def test_it_is_what_chat_completions_answer(client: openai.OpenAI) -> None:
    """The same conversation has the same prompt and the same answer there."""
    chat = client.chat.completions.create(
        model="any",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": FRANCE},
        ],
        max_tokens=3,
        temperature=0,
    )
    items = [
        {"role": "user", "content": "Hi"},
        {"type": "message", "role": "assistant", "content": "Hello!"},
        {"role": "user", "content": [{"type": "input_text", "text": FRANCE}]},
    ]
    done = _created(client, input=items, instructions="Be brief.", max_output_tokens=3)
    assert done.output_text == chat.choices[0].message.content
    assert chat.usage is not None
    assert done.usage.input_tokens == chat.usage.prompt_tokens
    assert (done.status, done.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_an_answer_goes_back_as_input(client: openai.OpenAI) -> None:
    """What a client got as output it may send as input, as OpenAI's guide does."""
    first = _created(client, input=FRANCE, max_output_tokens=10)
    items = [{"role": "user", "content": FRANCE}, *(item.to_dict() for item in first.output)]
    second = _created(
        client, input=[*items, {"role": "user", "content": "And of Italy?"}], max_output_tokens=10
    )
    assert second.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens - 2


def test_the_stream_helper(client: openai.OpenAI) -> None:
    """OpenAI's helper reads the stream to its end and finds the whole response there."""
    with client.responses.stream(
        model="any", input="Describe the colour red.", text_format=Colour, temperature=0
    ) as stream:
        events = list(stream)
        done = stream.get_final_response()
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(texts) == done.output_text
    assert len(texts) > 3
    assert isinstance(done.output_parsed, Colour)
    assert done.status == "completed"


def test_a_plain_stream(client: openai.OpenAI) -> None:
    """One that is cut short brings the text of the response it ends with, and says so."""
    events = list(_created(client, input=FRANCE, max_output_tokens=5, stream=True))
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(texts) > 2
    assert "".join(texts) == events[-1].response.output_text
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.usage.output_tokens == 5


def test_a_schema_is_parsed(client: openai.OpenAI) -> None:
    """The answer is what the schema allows, so OpenAI's client can make it an object."""
    done = client.responses.parse(
        model="any", input="Describe the colour red.", text_format=Colour, temperature=0
    )
    assert isinstance(done.output_parsed, Colour)
    assert done.text is not None
    assert done.text.format is not None
    assert done.text.format.type == "json_schema"


def test_a_json_object(client: openai.OpenAI) -> None:
    """An object comes, whatever the model would rather write."""
    done = _created(
        client, input=FRANCE, text={"format": {"type": "json_object"}}, max_output_tokens=10
    )
    assert done.output_text.startswith("{")


def test_logprobs(client: openai.OpenAI) -> None:
    """They come for each token of the text, with as many rivals as were asked for."""
    done = _created(
        client,
        input=FRANCE,
        max_output_tokens=5,
        include=["message.output_text.logprobs"],
        top_logprobs=2,
    )
    logprobs = done.output[0].content[0].logprobs
    assert "".join(one.token for one in logprobs) == done.output_text
    assert [len(one.top_logprobs) for one in logprobs] == [2] * 5


def test_the_input_is_counted(client: openai.OpenAI) -> None:
    """The count is that of the response's usage."""
    count = client.responses.input_tokens.count(model="any", input=FRANCE, instructions="Be brief.")
    done = _created(client, input=FRANCE, instructions="Be brief.", max_output_tokens=1)
    assert count.input_tokens == done.usage.input_tokens


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id cannot be used"),
        ({"conversation": "conv_1"}, "conversation cannot be used"),
        ({"prompt": {"id": "p"}}, "prompt cannot be used"),
        ({"background": True}, "background cannot be used"),
        ({"tools": [{"type": "web_search"}]}, "A tool has the type web_search"),
        ({"tools": [{"type": "function"}]}, "A tool has no name"),
        ({"tool_choice": "required"}, "tool_choice demands a call"),
        ({"tools": [ADD], "tool_choice": {"type": "mcp"}}, "tool_choice"),
        (
            {"tools": [ADD], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}},
            "tool_choice allows none of the tools",
        ),
        ({"text": {"format": {"type": "yaml"}}}, "text.format"),
        (
            {"text": {"format": {"type": "json_schema", "name": "a", "schema": {"not": {}}}}},
            "The JSON schema cannot be used",
        ),
        ({"input": []}, "input is empty"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "no image_url"),
        ({"top_logprobs": 21}, "top_logprobs is 21"),
        ({"extra_body": {"n": 2}}, "a response is always one answer"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_done_is_refused(
    client: openai.OpenAI, arguments: dict[str, Any], reason: str, stream: bool
) -> None:
    """It is a 400 that says why, before a stream begins, too."""
    with pytest.raises(openai.BadRequestError, match=reason):
        _created(client, **{"input": FRANCE, "stream": stream, **arguments})


def test_a_prompt_that_is_too_long(client: openai.OpenAI) -> None:
    """It is told with both lengths."""
    with pytest.raises(openai.BadRequestError, match="the context holds 1024"):
        _created(client, input="word " * 2000)


def test_a_tool_is_called(client: openai.OpenAI) -> None:
    """A call that is demanded comes, with arguments that fit, and its output may go back."""
    question = "What is 2 plus 3?"
    done = _created(
        client, input=question, tools=[ADD], tool_choice="required", parallel_tool_calls=False
    )
    (call,) = done.output
    assert (call.type, call.name, done.tool_choice) == ("function_call", "add", "required")
    assert set(json.loads(call.arguments)) == {"a", "b"}
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "5"}
    items = [{"role": "user", "content": question}, call.to_dict(), output]
    again = _created(client, input=items, tools=[ADD], tool_choice="none", max_output_tokens=5)
    assert again.output_text


def test_a_tool_call_is_streamed(client: openai.OpenAI) -> None:
    """OpenAI's helper puts the call together from its pieces and reads its arguments."""
    with client.responses.stream(
        model="any",
        input="What is 2 plus 3?",
        tools=[ADD],
        tool_choice={"type": "function", "name": "add"},
        parallel_tool_calls=False,
        temperature=0,
    ) as stream:
        kinds = [event.type for event in stream]
        (call,) = stream.get_final_response().output
    assert call.type == "function_call"
    assert isinstance(call.parsed_arguments, dict)
    assert kinds.count("response.function_call_arguments.delta") > 1
    assert "response.function_call_arguments.done" in kinds
