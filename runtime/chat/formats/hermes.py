"""Hermes 2 and 3, Qwen 2.5 and 3, Granite 4 and others: JSON between two tags."""

from runtime.chat.formats.call_grammar import CallGrammar, json_call
from runtime.chat.formats.calls import Calls, read_call_list
from runtime.chat.formats.marked_format import MarkedFormat
from runtime.chat.formats.script import Script, Text
from runtime.chat.tools import ToolUse


class HermesFormat(MarkedFormat):
    """`<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, once for each call."""

    call_markers = ("<tool_call>",)
    control_texts = ("</tool_call>",)

    def read_calls(self, text: Text, marker: str, calls: Calls) -> Script[bool]:
        """Read one call, or a list of them."""
        yield from text.skip_space()
        if not (yield from read_call_list(text, calls)):
            return False
        yield from text.skip_end("</tool_call>")
        return True

    def call_expression(self, grammar: CallGrammar, tool_use: ToolUse) -> str:
        """Return the expression of all calls."""
        call = grammar.any_tool(
            tool_use.callable_tools, lambda tool: json_call(tool, grammar.arguments(tool))
        )
        one = grammar.rules.add(f'"<tool_call>" space {call} space "</tool_call>"')
        return f"{one} ( space {one} )*" if tool_use.is_parallel else one
