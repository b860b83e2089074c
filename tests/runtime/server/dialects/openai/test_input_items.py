"""Tests of what the items of a response's input become."""

from typing import Any

import pytest

from runtime.errors import RequestError
from runtime.server.dialects.openai.input_items import input_messages


def test_a_text_is_a_users_message() -> None:
    """Instructions come before it, as the system's."""
    assert input_messages("Hello", "Be brief.") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]


def test_the_items_of_an_answer_are_one_message() -> None:
    """Reasoning, text and calls go together; outputs of calls stand alone."""
    call = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}'}
    items: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "input_text", "text": "What is it?"}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
        },
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "I add.", "annotations": []}],
        },
        call,
        call | {"call_id": "c2", "arguments": ""},
        {"type": "function_call_output", "call_id": "c1", "output": "2"},
        {
            "type": "function_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "none"}],
        },
    ]
    assert input_messages(items, None) == [
        {"role": "user", "content": "What is it?"},
        {
            "role": "assistant",
            "content": "I add.",
            "reasoning_content": "Hm.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "add", "arguments": {"a": 1}},
                },
                {"id": "c2", "type": "function", "function": {"name": "add", "arguments": {}}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "2"},
        {"role": "tool", "tool_call_id": "c2", "content": "none"},
    ]


def test_system_messages_are_joined() -> None:
    """Templates that take one system message get one."""
    items = [
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": "Be quick."},
        {"role": "user", "content": "Hi"},
    ]
    assert input_messages(items, "Be brief.")[0] == {
        "role": "system",
        "content": "Be brief.\n\nBe kind.\n\nBe quick.",
    }


def test_reasoning_that_is_encrypted_says_nothing() -> None:
    """It came from elsewhere, and there is nothing to read in it."""
    items: list[dict[str, Any]] = [
        {"type": "reasoning", "summary": [], "encrypted_content": "x"},
        {"role": "user", "content": "Hi"},
    ]
    assert input_messages(items, None) == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"type": "item_reference", "id": "msg_1"}, r"input\[0\] has the type item_reference"),
        ({"type": 5}, r"input\[0\] has the type 5"),
        ({"role": "user"}, r"input\[0\] .* missing required field `content`"),
        ({"role": "king", "content": ""}, r"input\[0\] .* Invalid enum value 'king'"),
        ({"type": "function_call", "name": "f"}, "missing required field `call_id`"),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "[]"},
            "The arguments of the call of f are no JSON object",
        ),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "http://a/b"}]},
            "nothing is fetched for clients",
        ),
        (
            {"role": "assistant", "content": [{"type": "input_image", "image_url": "data:"}]},
            "This model takes no images but a user's",
        ),
        (
            {"role": "user", "content": [{"type": "input_file", "file_id": "f"}]},
            "This model takes no files",
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_audio"}]},
            "This model takes no sounds",
        ),
    ],
)
def test_an_item_that_cannot_be_used(item: dict[str, Any], reason: str) -> None:
    """The error names the item and what is wrong with it."""
    with pytest.raises(RequestError, match=reason):
        input_messages([item], None)
