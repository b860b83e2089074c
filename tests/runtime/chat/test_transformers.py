"""Rendered text beside that of transformers, for the templates in llama.cpp's source."""

import datetime
import functools
from typing import Any

import pytest
from transformers.utils import chat_template_utils

from builder.native.llamacpp import source_folder
from runtime.chat.template import ChatTemplate, Message
from runtime.errors import RequestError

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

SYSTEM = {"role": "system", "content": "Be brief. <b>Ä</b>"}
USER = {"role": "user", "content": "How warm is it in Köln & Bonn?"}
ANSWER = {"role": "assistant", "content": "  It is 'mild'.  "}
THOUGHT = {**ANSWER, "reasoning_content": "They ask for the weather."}
MORE = {"role": "user", "content": "And tomorrow?\n"}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {
            "id": "call00001",
            "type": "function",
            "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": 2}},
        }
    ],
}
RESULT = {
    "role": "tool",
    "tool_call_id": "call00001",
    "name": "get_weather",
    "content": '{"celsius": 21}',
}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells how warm it is.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city's name."},
                "days": {"type": "integer", "enum": [1, 2, 3]},
            },
            "required": ["city"],
        },
    },
}

CASES: dict[str, tuple[list[Message], dict[str, Any]]] = {
    "plain": ([USER], {"add_generation_prompt": True}),
    "without a generation prompt": ([USER], {"add_generation_prompt": False}),
    "system": ([SYSTEM, USER], {"add_generation_prompt": True}),
    "turns": ([SYSTEM, USER, ANSWER, MORE], {"add_generation_prompt": True}),
    "reasoning": ([USER, THOUGHT, MORE], {"add_generation_prompt": True}),
    "reasoning last": ([USER, THOUGHT], {"add_generation_prompt": False}),
    "parts": (
        [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        {"add_generation_prompt": True},
    ),
    "tools": ([SYSTEM, USER], {"add_generation_prompt": True, "tools": [TOOL]}),
    "call": ([USER, CALL], {"add_generation_prompt": False, "tools": [TOOL]}),
    "result": ([USER, CALL, RESULT], {"add_generation_prompt": True, "tools": [TOOL]}),
    "after tools": (
        [SYSTEM, USER, CALL, RESULT, ANSWER, MORE],
        {"add_generation_prompt": True, "tools": [TOOL]},
    ),
    "thinking": ([USER], {"add_generation_prompt": True, "enable_thinking": True}),
    "no thinking": ([USER], {"add_generation_prompt": True, "enable_thinking": False}),
    "effort": ([USER], {"add_generation_prompt": True, "reasoning_effort": "high"}),
    "documents": (
        [USER],
        {"add_generation_prompt": True, "documents": [{"title": "Rhein", "text": "A river."}]},
    ),
    "continue": (
        [USER, {"role": "assistant", "content": "It is "}],
        {"continue_final_message": True},
    ),
    "continue a system's": ([SYSTEM, USER, ANSWER], {"continue_final_message": True}),
}


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """The templates by name."""
    folder = source_folder() / "vendor" / "llama.cpp" / "models" / "templates"
    found = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.jinja")}
    assert len(found) >= 60
    return found


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop both clocks."""

    class Stopped(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Stopped":
            return cls(2026, 7, 9, 12, 34, 56)

    monkeypatch.setattr(chat_template_utils, "datetime", Stopped)
    monkeypatch.setattr(datetime, "datetime", Stopped)


@pytest.mark.parametrize("case", CASES)
def test_the_text_is_that_of_transformers(case: str, sources: dict[str, str]) -> None:
    """Every template gives the same text, or refuses like transformers; few refuse."""
    messages, arguments = CASES[case]
    ours = {name: _ours(source, messages, arguments) for name, source in sources.items()}
    theirs = {name: _theirs(source, messages, arguments) for name, source in sources.items()}
    assert ours == theirs
    num_refused = list(ours.values()).count(None)
    assert num_refused < len(sources) * 0.4


def _theirs(source: str, messages: list[Message], arguments: dict[str, Any]) -> str | None:
    """Return transformers' text, or None for a refusal, which has many classes."""
    try:
        texts, _ = chat_template_utils.render_jinja_template(
            [messages], chat_template=source, **TOKENS, **arguments
        )
    except Exception:
        return None
    text: str = texts[0]
    return text


@functools.cache
def _template(source: str) -> ChatTemplate:
    return ChatTemplate(source, **TOKENS)


def _ours(source: str, messages: list[Message], arguments: dict[str, Any]) -> str | None:
    """Return our text, or None for a refusal."""
    variables = dict(arguments)
    tools = variables.pop("tools", None)
    try:
        if variables.pop("continue_final_message", False):
            return _template(source).render_unfinished(messages, tools=tools, arguments=variables)
        return _template(source).render(
            messages,
            tools=tools,
            add_generation_prompt=variables.pop("add_generation_prompt"),
            arguments=variables,
        )
    except RequestError:
        return None
