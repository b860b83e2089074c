"""Tests of how a body of `/api/chat` becomes a conversation."""

from typing import Any

import msgspec
import pytest

from runtime.errors import RequestError
from runtime.server.dialects.ollama.chat_request import OllamaChatRequest

CALL = {"function": {"name": "add", "arguments": {"a": 1}}}
OTHER = {"function": {"name": "now", "arguments": {}}}


def _request(**fields: Any) -> OllamaChatRequest:
    return msgspec.convert(fields, OllamaChatRequest)


def _messages(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    return _request(messages=list(messages)).conversation(can_think=False).messages


def test_results_find_their_calls() -> None:
    """Calls get ids; a result belongs to its tool's first call without one."""
    asked, first, second, third = _messages(
        {"role": "assistant", "content": "", "tool_calls": [CALL, OTHER, CALL]},
        {"role": "tool", "tool_name": "now", "content": "noon"},
        {"role": "tool", "tool_name": "add", "content": "3"},
        {"role": "tool", "content": "4"},
    )
    assert [call["id"] for call in asked["tool_calls"]] == ["call_0", "call_1", "call_2"]
    assert asked["tool_calls"][0]["function"] == {"name": "add", "arguments": {"a": 1}}
    assert (first["tool_call_id"], first["name"]) == ("call_1", "now")
    assert (second["tool_call_id"], third["tool_call_id"]) == ("call_0", "call_2")
    assert third["name"] == "add"


def test_ids_of_the_client_are_kept() -> None:
    """A client that sends the ids of newer versions is understood by them."""
    asked, result = _messages(
        {"role": "assistant", "tool_calls": [{**CALL, "id": "x"}, {**CALL, "id": "y"}]},
        {"role": "tool", "tool_call_id": "y", "content": "3"},
    )
    assert asked["content"] == ""
    assert (result["tool_call_id"], result["name"]) == ("y", "add")


def test_a_result_without_a_call_keeps_its_name() -> None:
    """A conversation that was cut keeps what it says."""
    [result] = _messages({"role": "tool", "tool_name": "add", "content": "3"})
    assert result == {"role": "tool", "content": "3", "name": "add"}


def test_thinking_is_the_messages_reasoning() -> None:
    """What the model thought before goes to the template."""
    [message] = _messages({"role": "assistant", "content": "4", "thinking": "2 + 2"})
    assert message == {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}


def test_tools_are_offered() -> None:
    """Tools are the model's to call or not."""
    function = {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}
    tools = [{"type": "function", "function": function}]
    tool_use = _request(messages=[], tools=tools).conversation(can_think=False).tool_use
    [tool] = tool_use.tools
    assert (tool.name, tool.description, tool.parameters) == ("add", "Adds.", {"type": "object"})
    assert tool_use.choice == "auto"


@pytest.mark.parametrize(
    ("think", "arguments"),
    [
        (None, {}),
        (True, {"enable_thinking": True, "thinking": True}),
        (False, {"enable_thinking": False, "thinking": False}),
        ("high", {"enable_thinking": True, "thinking": True, "reasoning_effort": "high"}),
    ],
)
def test_thinking_is_the_templates_matter(think: Any, arguments: dict[str, Any]) -> None:
    """`think` becomes the variables that templates know."""
    body = _request(messages=[{"role": "user"}], think=think)
    assert body.conversation(can_think=True).template_arguments == arguments


def test_arguments_are_objects() -> None:
    """Arguments as a text are OpenAI's, and not Ollama's."""
    call = {"function": {"name": "add", "arguments": "{}"}}
    with pytest.raises(msgspec.ValidationError, match="Expected `object`, got `str`"):
        _messages({"role": "assistant", "tool_calls": [call]})


def test_format_and_options() -> None:
    """Options come by the engine's names, and ignored ones not at all."""
    options = {"num_predict": -2, "num_keep": 4, "seed": -1, "stop": "x", "min_p": 0, "num_gpu": 1}
    asked = _request(messages=[], options=options, format="json").generation_options()
    grammar = asked.sampling["grammar"]
    assert asked.sampling == {"min_p": 0, "seed": None, "grammar": grammar}
    assert (asked.max_tokens, asked.n_keep, asked.stop) == (-2, 4, ("x",))
    assert _request(options={"seed": 7.0}).generation_options().sampling == {"seed": 7}
    with pytest.raises(RequestError, match="format is xml, and may be json"):
        _request(messages=[], format="xml").generation_options()
