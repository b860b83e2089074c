"""Llama 3.x, and models without a form of their own: calls as bare JSON objects."""

from runtime.chat.formats.call_grammar import CallGrammar, json_call
from runtime.chat.formats.calls import Calls, read_call_object
from runtime.chat.formats.json_script import json_text
from runtime.chat.formats.marked_format import MarkedFormat
from runtime.chat.formats.script import Script, Text
from runtime.chat.formats.tool_description import with_tools
from runtime.chat.template import Message
from runtime.chat.tools import ToolUse
from runtime.engine.sampling.json_grammar import literal
from runtime.engine.sampling.trigger import MAX_TRIGGERS

_FORM = '{"name": "the_name", "arguments": {"an_argument": "its value"}}'


class BareJsonFormat(MarkedFormat):
    """`{"name": ..., "arguments": {...}}`, anywhere, where the name is that of a tool.

    An object that begins like a call of a tool, without a line break, has to be one. At the
    beginning of an answer any object that is a call is one.
    """

    arguments_key = "arguments"
    separator = "\n"

    def markers(self, tool_use: ToolUse) -> tuple[str, ...]:
        """Return the beginnings of calls of each tool, with and without blanks."""
        names = [json_text(tool.name) for tool in tool_use.callable_tools]
        beginnings = [f'{{"name":{blank}{name}' for blank in (" ", "") for name in names]
        return (*super().markers(tool_use), *beginnings)

    def triggers(self, tool_use: ToolUse) -> tuple[str, ...]:
        """Return as many of them as there may be triggers."""
        return self.markers(tool_use)[:MAX_TRIGGERS]

    def read_beginning(self, text: Text, calls: Calls) -> Script[bool]:
        """Read calls that begin the answer."""
        yield from text.skip_space()
        return (yield from self._read_objects(text, calls))

    def read_calls(self, text: Text, marker: str, calls: Calls) -> Script[bool]:
        """Read calls, one behind the other."""
        if marker in self.call_markers:
            yield from text.skip_space()
        else:
            text.at -= len(marker)
        return (yield from self._read_objects(text, calls))

    def _read_objects(self, text: Text, calls: Calls) -> Script[bool]:
        is_any = False
        start = text.at
        while (yield from read_call_object(text, calls)):
            is_any = True
            start = text.at
            yield from text.skip_end(";")
            yield from text.skip_space()
        if is_any:
            text.at = start
        return is_any

    def call_expression(self, grammar: CallGrammar, tool_use: ToolUse) -> str:
        """Return the expression of all calls."""
        call = grammar.any_tool(
            tool_use.callable_tools,
            lambda tool: json_call(
                tool, grammar.arguments(tool), key=self.arguments_key, is_plain=True
            ),
        )
        calls = (
            f"{call} ( {literal(self.separator)} space {call} )*" if tool_use.is_parallel else call
        )
        first = "".join(f"{literal(marker)}? space " for marker in self.call_markers)
        return f"{first}{calls}"


class Llama3Format(BareJsonFormat):
    """Llama 3.1 to 3.3, which say `parameters`, and may begin with a control token."""

    call_markers = ("<|python_tag|>",)
    arguments_key = "parameters"
    separator = ";"


class GenericFormat(BareJsonFormat):
    """For templates that know no tools, or in a form that is not known here."""

    describes_tools = True

    def prepare(self, messages: list[Message], tool_use: ToolUse) -> list[Message]:
        """Tell of the tools."""
        return with_tools(messages, tool_use, _FORM)
