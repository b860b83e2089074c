"""What a chat template can do, found by rendering small conversations with it."""

import itertools
import json
import re
from functools import cached_property
from typing import Any

import msgspec

from runtime.chat.template import ChatTemplate, Message
from runtime.errors import RequestError

# Words that no template writes by itself.
_MARK = "PROBEMARK"
_KEY = "PROBEKEY"
_NAME = "PROBENAME"
_ARGUMENTS = {_KEY: _MARK}

# What templates have around thoughts, or call what switches them.
_THINKING = ("think>", "[THINK]", "<|channel|>", "enable_thinking", "reasoning_content")


class CallStyle(msgspec.Struct, frozen=True):
    """How a template wants the messages in which the model called tools.

    Args:
        has_null_content: Their content is null where it is empty; otherwise an empty text.
        has_argument_texts: Arguments are JSON texts; otherwise objects.
        has_short_ids: Ids are nine letters and digits, as Mistral's are; otherwise any text.
    """

    has_null_content: bool = False
    has_argument_texts: bool = False
    has_short_ids: bool = False


# Those that suit most templates come first.
_STYLES = [
    CallStyle(null, texts, ids) for ids, null, texts in itertools.product((False, True), repeat=3)
]


class TemplateTraits:
    """What one template can do; each trait is found when it is first asked for.

    Args:
        template: The template.
    """

    def __init__(self, template: ChatTemplate) -> None:
        self._template = template

    @cached_property
    def wants_parts(self) -> bool:
        """Whether contents must be lists of `{"type": "text", "text": ...}`."""
        # One that looks at no part wants none; so most templates are not rendered for this.
        if not re.search(r"""\.text\b|["']text["']""", self._template.source):
            return False
        part = {"type": "text", "text": _MARK}
        return _MARK not in self._text({"role": "user", "content": _MARK}) and (
            _MARK in self._text({"role": "user", "content": [part]})
        )

    @cached_property
    def supports_system(self) -> bool:
        """Whether it writes system messages."""
        return _MARK in self._text(self._message("system", _MARK), self._message("user", "Hello"))

    @property
    def supports_thinking(self) -> bool:
        """Whether it is for a model that thinks before it answers."""
        return any(mark in self._template.source for mark in _THINKING)

    @cached_property
    def supports_tools(self) -> bool:
        """Whether it tells the model of tools."""
        user = self._message("user", "Hello")
        return _NAME in self._text(user, tools=(_tool(_NAME),))

    @cached_property
    def call_style(self) -> CallStyle | None:
        """How it wants the model's earlier calls of tools; None where it writes none."""
        # What comes back from the tool tells nothing of the call, and some templates refuse one.
        return next((style for style in _STYLES if self._writes_call(style)), None)

    @cached_property
    def supports_tool_results(self) -> bool:
        """Whether it writes what tools returned."""
        style = self.call_style or CallStyle()
        return _MARK in self._text(*self._exchange(style, {_KEY: "x"}, _MARK), tools=_OTHER_TOOLS)

    def _writes_call(self, style: CallStyle) -> bool:
        text = self._text(*self._exchange(style, _ARGUMENTS, "21"), tools=_OTHER_TOOLS)
        is_python = f"'{_KEY}'" in text
        is_json_in_json = f'\\"{_KEY}' in text
        return _KEY in text and _MARK in text and not is_python and not is_json_in_json

    def _exchange(self, style: CallStyle, arguments: dict[str, str], result: str) -> list[Message]:
        """Return a question, a call and its result."""
        call = {
            "id": "call_probe_0001",
            "type": "function",
            "function": {"name": _NAME, "arguments": arguments},
        }
        calling = {**self._message("assistant", ""), "tool_calls": [call]}
        returned = {"tool_call_id": call["id"], "name": _NAME}
        return [
            self._message("user", "Hello"),
            styled_call(calling, style),
            styled_result(self._message("tool", result) | returned, style),
        ]

    def _message(self, role: str, text: str) -> Message:
        content = [{"type": "text", "text": text}] if self.wants_parts else text
        return {"role": role, "content": content}

    def _text(self, *messages: Message, tools: tuple[dict[str, Any], ...] = ()) -> str:
        """Return what the template makes of this, without tools and else with; empty: nothing."""
        for offered in (list(tools) or None, list(_OTHER_TOOLS)):
            try:
                return self._template.render(messages, tools=offered)
            except RequestError:
                pass
        return ""


def styled_call(message: Message, style: CallStyle) -> Message:
    """Return a message with tool calls as a template wants it.

    Args:
        message: With `tool_calls`, whose arguments are objects.
        style: What the template wants.
    """
    calls = [
        {
            **call,
            "id": _styled_id(call.get("id", ""), style),
            "function": {
                **call["function"],
                "arguments": _styled_arguments(call["function"]["arguments"], style),
            },
        }
        for call in message["tool_calls"]
    ]
    is_null = style.has_null_content and not message.get("content")
    content = None if is_null else message.get("content") or ""
    return {**message, "content": content, "tool_calls": calls}


def styled_result(message: Message, style: CallStyle) -> Message:
    """Return a message with a tool's result as a template wants it."""
    if "tool_call_id" not in message:
        return message
    return {**message, "tool_call_id": _styled_id(message["tool_call_id"], style)}


def _styled_arguments(arguments: Any, style: CallStyle) -> Any:
    return json.dumps(arguments, ensure_ascii=False) if style.has_argument_texts else arguments


def _styled_id(call_id: str, style: CallStyle) -> str:
    if not style.has_short_ids or re.fullmatch("[a-zA-Z0-9]{9}", call_id):
        return call_id
    # Few requests need it, and every start would wait for the import.
    from hashlib import sha256

    return sha256(call_id.encode()).hexdigest()[:9]


def _tool(name: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {"x": {"type": "string", "description": "Anything."}},
        "required": ["x"],
    }
    function = {"name": name, "description": "Tells something.", "parameters": parameters}
    return {"type": "function", "function": function}


# Its name is not the one that is looked for in calls.
_OTHER_TOOLS = (_tool("other"),)
