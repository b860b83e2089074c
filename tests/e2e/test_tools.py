"""Tool calls of a real solofile, with OpenAI's client."""

import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.solofile import ServedSolofile

QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the weather in Paris?"}
]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather of a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"enum": ["Paris", "Rome"]},
                "unit": {"enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
        },
    },
}
CLOCK: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}},
}
BOTH = [WEATHER, CLOCK]
WRONG = {"type": "int"}


@pytest.fixture(scope="module")
def client(served: ServedSolofile) -> openai.OpenAI:
    """OpenAI's client, pointed at the solofile."""
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0)


def _ask(client: openai.OpenAI, **arguments: Any) -> Any:
    done = client.chat.completions.create(
        model="any", messages=QUESTION, tools=BOTH, temperature=0, max_tokens=100, **arguments
    )
    return done.choices[0]


def test_a_named_tool_is_called(client: openai.OpenAI) -> None:
    """The call has the name, arguments by the schema, and an id; nothing else is said."""
    # With parallel calls this small model may go on calling until it is cut.
    choice = _ask(
        client,
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        parallel_tool_calls=False,
    )
    assert choice.finish_reason == "tool_calls"
    assert not choice.message.content
    (call,) = choice.message.tool_calls
    assert call.id
    assert call.function.name == "get_weather"
    arguments = json.loads(call.function.arguments)
    assert arguments["city"] in ("Paris", "Rome")
    assert arguments["unit"] in ("celsius", "fahrenheit")


def test_one_call_where_calls_may_not_be_parallel(client: openai.OpenAI) -> None:
    """A required call is made, and it is the only one."""
    choice = _ask(client, tool_choice="required", parallel_tool_calls=False)
    (call,) = choice.message.tool_calls
    assert call.function.name in ("get_weather", "get_time")


def test_a_streamed_call_is_the_whole_one(client: openai.OpenAI) -> None:
    """The pieces of a call's arguments make the text that comes unstreamed."""
    named: Any = {"type": "function", "function": {"name": "get_weather"}}
    fixed: dict[str, Any] = {"tool_choice": named, "parallel_tool_calls": False}
    (whole,) = _ask(client, **fixed).message.tool_calls
    name, arguments, reasons = "", "", []
    for chunk in client.chat.completions.create(
        model="any", messages=QUESTION, tools=BOTH, temperature=0, max_tokens=100, stream=True,
        **fixed,
    ):  # fmt: skip
        reasons += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
        for delta in chunk.choices[0].delta.tool_calls or []:
            assert delta.index == 0
            assert delta.function
            name += delta.function.name or ""
            arguments += delta.function.arguments or ""
    assert (name, arguments) == (whole.function.name, whole.function.arguments)
    assert reasons == ["tool_calls"]


def test_a_result_is_answered(client: openai.OpenAI) -> None:
    """A conversation with a call and its result goes on in words."""
    messages: list[ChatCompletionMessageParam] = [
        *QUESTION,
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny, 21 degrees."},
    ]
    done = client.chat.completions.create(
        model="any", messages=messages, tools=BOTH, tool_choice="none", max_tokens=60, temperature=0
    )
    assert done.choices[0].finish_reason in ("stop", "length")
    assert done.choices[0].message.content
    assert not done.choices[0].message.tool_calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tool_choice": {"type": "function", "function": {"name": "nobody"}}}, "nobody"),
        ({"tools": [], "tool_choice": "required"}, "no tools"),
        (
            {
                "tools": [
                    {
                        "type": "function",
                        "function": {
                            "name": "f",
                            "parameters": {"properties": {"a": {"type": "int"}}},
                        },
                    }
                ],
                "tool_choice": "required",
            },
            "properties/a",
        ),
    ],
)
def test_what_cannot_be_called_is_refused(
    client: openai.OpenAI, arguments: dict[str, Any], words: str
) -> None:
    """A name that is not offered, no tools at all, or a schema that is none: a 400 that says so."""
    asked: Any = {"model": "any", "messages": QUESTION, "tools": BOTH, "max_tokens": 8} | arguments
    with pytest.raises(openai.BadRequestError, match=words):
        client.chat.completions.create(**asked)
