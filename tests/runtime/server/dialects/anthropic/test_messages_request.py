"""Tests of how a body of `/v1/messages` becomes a conversation."""

from typing import Any

import msgspec
import pytest

from runtime.errors import RequestError
from runtime.server.dialects.anthropic.messages_request import MessagesRequest

TEXT = {"type": "text", "text": "Hello"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}}
TOOL = {"name": "add", "description": "Adds.", "input_schema": {"type": "object"}}


def _request(*messages: dict[str, Any], **fields: Any) -> MessagesRequest:
    body = {"messages": messages or [{"role": "user", "content": "Hi"}]} | fields
    return msgspec.convert(body, MessagesRequest)


def _messages(*messages: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    return _request(*messages, **fields).conversation().messages


def _result(**fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "toolu_1"} | fields


def test_blocks_become_messages() -> None:
    """Calls and thoughts belong to the message; results come before the user's next words."""
    asked, called, returned, said = _messages(
        {"role": "user", "content": [TEXT, {"type": "text", "text": "there"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "x"},
                {"type": "redacted_thinking", "data": "y"},
                {"type": "text", "text": "I add."},
                CALL,
            ],
        },
        {"role": "user", "content": [TEXT, _result(content="3")]},
    )
    assert asked == {"role": "user", "content": "Hello\nthere"}
    assert called["content"] == "I add."
    assert called["reasoning_content"] == "Hm."
    [call] = called["tool_calls"]
    assert (call["id"], call["function"]) == ("toolu_1", {"name": "add", "arguments": {"a": 1}})
    assert returned == {"role": "tool", "tool_call_id": "toolu_1", "content": "3"}
    assert said == {"role": "user", "content": "Hello"}


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (_result(content="3"), "3"),
        (_result(content=[TEXT, TEXT]), "Hello\nHello"),
        (_result(), ""),
        (_result(content="No such city", is_error=True), "Error: No such city"),
        (_result(content="Error: no such city", is_error=True), "Error: no such city"),
    ],
)
def test_results(result: dict[str, Any], text: str) -> None:
    """A result is a text or blocks; a failure says that it is one."""
    called = {"role": "assistant", "content": [CALL]}
    *_, returned = _messages(called, {"role": "user", "content": [result]})
    assert (returned["role"], returned["content"]) == ("tool", text)


def test_one_role_in_a_row_is_one_message() -> None:
    """As Anthropic reads it, and as templates want it."""
    messages = _messages(
        {"role": "user", "content": "a"},
        {"role": "user", "content": [TEXT]},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    )
    assert [message["content"] for message in messages] == ["a\nHello", "b", "c"]


def test_the_system_prompt_leaves_the_stamp_out() -> None:
    """Blocks stand one below the other; what only changes from request to request is left out."""
    stamp = {"type": "text", "text": "x-anthropic-billing-header: cc_version=1; cch=a1b2c;"}
    system, _ = _messages(system=[stamp, TEXT, {"type": "text", "text": "there"}])
    assert system == {"role": "system", "content": "Hello\nthere"}
    assert _messages(system="Be brief.")[0]["content"] == "Be brief."
    assert _messages(system=[stamp])[0]["role"] == "user"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ("auto", "", True)),
        ({"type": "auto", "disable_parallel_tool_use": True}, ("auto", "", False)),
        ({"type": "any"}, ("required", "", True)),
        ({"type": "tool", "name": "add"}, ("required", "add", True)),
        ({"type": "none"}, ("none", "", True)),
    ],
)
def test_tool_choices(choice: Any, expected: tuple[str, str, bool]) -> None:
    """They are those of all dialects under other names."""
    use = _request(tools=[TOOL], tool_choice=choice).conversation().tool_use
    assert (use.choice, use.only, use.is_parallel) == expected
    [tool] = use.tools
    assert (tool.name, tool.description, tool.parameters) == ("add", "Adds.", {"type": "object"})


@pytest.mark.parametrize(
    ("fields", "arguments"),
    [
        ({}, {}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            {"enable_thinking": True, "thinking": True},
        ),
        ({"thinking": {"type": "disabled"}}, {"enable_thinking": False, "thinking": False}),
        ({"output_config": {"effort": "max"}}, {"reasoning_effort": "high"}),
        ({"output_config": {"effort": "low"}}, {"reasoning_effort": "low"}),
    ],
)
def test_thinking_is_the_templates_matter(
    fields: dict[str, Any], arguments: dict[str, Any]
) -> None:
    """It becomes the variables that templates know; a model that does not think ignores them."""
    assert _request(**fields).conversation().template_arguments == arguments


def test_a_last_message_of_the_assistants_goes_on() -> None:
    """Its text is the beginning of the answer; a call must first get its result."""
    question = {"role": "user", "content": "Hi"}
    assert not _request(question).conversation().continues_last
    assert _request(question, {"role": "assistant", "content": "H"}).conversation().continues_last
    with pytest.raises(RequestError, match="calls tools, and what they returned is not there"):
        _request(question, {"role": "assistant", "content": [CALL]}).conversation()


def test_options() -> None:
    """Without a limit there is llama-server's."""
    options = _request(top_k=5, stop_sequences=["x"], service_tier="auto").generation_options()
    assert (options.max_tokens, options.stop) == (4096, ("x",))
    assert options.sampling == {"top_k": 5}
