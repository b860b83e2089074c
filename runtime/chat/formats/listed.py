"""Granite 3, Phi-4-mini, Nemotron Nano 2 and FireFunction: a JSON list behind a marker."""

import json
from typing import Any

from runtime.chat.formats.call_grammar import CallGrammar, json_call
from runtime.chat.formats.calls import Calls, read_call_list
from runtime.chat.formats.marked_format import MarkedFormat, Markers
from runtime.chat.formats.script import Script, Text
from runtime.chat.template import Message
from runtime.chat.tools import ToolUse
from runtime.engine.sampling.json_grammar import literal


class ListedFormat(MarkedFormat):
    """A marker, then `[{"name": ..., "arguments": {...}}, ...]`.

    Args:
        marker: What begins the list.
        end: What ends it; may be empty.
        reasoning: What stands around reasoning.
    """

    def __init__(self, marker: str, end: str = "", reasoning: Markers | None = None) -> None:
        self.call_markers = (marker,)
        self.control_texts = (end,) if end else ()
        self._end = end
        super().__init__(reasoning)

    def read_calls(self, text: Text, marker: str, calls: Calls) -> Script[bool]:
        """Read a list, or one call alone."""
        yield from text.skip_space()
        is_any = yield from read_call_list(text, calls)
        if is_any and self._end:
            yield from text.skip_end(self._end)
        return is_any

    def call_expression(self, grammar: CallGrammar, tool_use: ToolUse) -> str:
        """Return the expression of the list."""
        call = grammar.any_tool(
            tool_use.callable_tools, lambda tool: json_call(tool, grammar.arguments(tool))
        )
        calls = grammar.list_of(call, is_parallel=tool_use.is_parallel)
        end = f" space {literal(self._end)}" if self._end else ""
        return f"{literal(self.call_markers[0])} space {calls}{end}"


class PhiFormat(ListedFormat):
    """Phi-4-mini, whose template takes tools from the system message, and no calls or results."""

    describes_tools = True

    def __init__(self) -> None:
        super().__init__("<|tool_call|>", "<|/tool_call|>")
        # Some prompts teach it this one.
        self.call_markers = ("<|tool_call|>", "functools")

    def prepare(self, messages: list[Message], tool_use: ToolUse) -> list[Message]:
        """Put the tools where the template looks for them, and calls and results into texts."""
        prepared = [_as_phi_message(message) for message in messages]
        if not tool_use.callable_tools:
            return prepared
        tools = [tool.to_template()["function"] for tool in tool_use.tools]
        if not prepared or prepared[0]["role"] != "system":
            prepared.insert(0, {"role": "system", "content": _SYSTEM})
        prepared[0] = prepared[0] | {"tools": json.dumps(tools, ensure_ascii=False)}
        return prepared


_SYSTEM = "You are a helpful assistant with some tools."


def _as_phi_message(message: Message) -> Message:
    if message["role"] == "tool":
        return {"role": "tool_response", "content": message["content"]}
    if not message.get("tool_calls"):
        return message
    calls: list[Any] = [
        {key: call["function"][key] for key in ("name", "arguments")}
        for call in message["tool_calls"]
    ]
    text = f"<|tool_call|>{json.dumps(calls, ensure_ascii=False)}<|/tool_call|>"
    return {"role": message["role"], "content": (message.get("content") or "") + text}
