"""Mistral, Devstral, Magistral and Ministral: calls behind `[TOOL_CALLS]`."""

from runtime.chat.formats.call_grammar import CallGrammar, json_call
from runtime.chat.formats.calls import Calls, read_call_list
from runtime.chat.formats.json_script import pass_on_object
from runtime.chat.formats.marked_format import MarkedFormat, Markers
from runtime.chat.formats.script import Script, Text
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.sampling.json_grammar import literal

_ID = "[0-9A-Za-z]{9}"


class MistralFormat(MarkedFormat):
    """A JSON list, or `NAME[ARGS]{...}` with a marker before each.

    Args:
        names_first: Whether the models write the second form; either is read.
        reasoning: What stands around reasoning.
    """

    call_markers = ("[TOOL_CALLS]",)
    control_texts = ("[ARGS]", "[CALL_ID]")

    def __init__(self, *, names_first: bool, reasoning: Markers | None = None) -> None:
        super().__init__(reasoning)
        self._names_first = names_first

    def read_calls(self, text: Text, marker: str, calls: Calls) -> Script[bool]:
        """Read a list of calls, or one call."""
        yield from text.skip_space()
        if text.rest.startswith(("[", "{")):
            return (yield from read_call_list(text, calls))
        head = yield from text.read_until("[ARGS]")
        name, _, call_id = (head or "").partition("[CALL_ID]")
        yield from text.skip_space()
        if not calls.allows(name.strip()) or not text.rest.startswith("{"):
            return False
        yield calls.begin(name.strip(), call_id=call_id.strip())
        yield from pass_on_object(text, calls.more)
        return True

    def call_expression(self, grammar: CallGrammar, tool_use: ToolUse) -> str:
        """Return the expression of all calls."""
        tools = tool_use.callable_tools
        if not self._names_first:
            id_member = f'"," space "\\"id\\":" space "\\"" {_ID} "\\"" space'
            call = grammar.any_tool(
                tools,
                lambda tool: json_call(tool, grammar.arguments(tool), last=f"( {id_member} )?"),
            )
            calls = grammar.list_of(call, is_parallel=tool_use.is_parallel)
            return f'"[TOOL_CALLS]" space {calls}'

        def named(tool: Tool) -> str:
            head = f'"[TOOL_CALLS]" space {literal(tool.name)} ( "[CALL_ID]" {_ID} )?'
            return f'{head} "[ARGS]" space {grammar.arguments(tool)}'

        one = grammar.any_tool(tools, named)
        return f"{one} ( space {one} )*" if tool_use.is_parallel else one
