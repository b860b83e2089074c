"""DeepSeek and Kimi K2: a section of calls, each between two control tokens."""
# ruff: noqa: RUF001 - DeepSeek writes its control tokens with such bars.

import msgspec

from runtime.chat.formats.call_grammar import CallGrammar
from runtime.chat.formats.calls import Calls
from runtime.chat.formats.json_script import pass_on_object
from runtime.chat.formats.marked_format import MarkedFormat, Markers
from runtime.chat.formats.script import Script, Text
from runtime.chat.formats.tool_description import with_tools
from runtime.chat.template import Message
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.sampling.json_grammar import literal


class SectionMarkers(msgspec.Struct, frozen=True):
    """The control tokens around calls.

    Args:
        section: Around all calls.
        call: Around one call.
        between: Between what a call's name is in and what its arguments are in.
    """

    section: Markers
    call: Markers
    between: str


_FORM = (
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>the_name<｜tool▁sep｜>"
    '{"an_argument": "its value"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
)
_FENCE = literal("\n```")

DEEPSEEK = SectionMarkers(
    Markers("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
    Markers("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
    "<｜tool▁sep｜>",
)
KIMI = SectionMarkers(
    Markers("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
    Markers("<|tool_call_begin|>", "<|tool_call_end|>"),
    "<|tool_call_argument_begin|>",
)


class SectionFormat(MarkedFormat):
    """A section of calls; a subclass says how one call is written."""

    def __init__(self, markers: SectionMarkers, reasoning: Markers | None) -> None:
        self._markers = markers
        self.call_markers = (markers.section.begin, markers.call.begin)
        self.control_texts = (markers.section.end, markers.call.end, markers.between)
        super().__init__(reasoning)

    def read_calls(self, text: Text, marker: str, calls: Calls) -> Script[bool]:
        """Read a section, or one call without its beginning."""
        is_any = False
        if marker == self._markers.section.begin:
            yield from text.skip_space()
            if not (yield from text.accept(self._markers.call.begin)):
                return False
        while (yield from self.read_call(text, calls)):
            is_any = True
            yield from text.skip_end(self._markers.call.end)
            behind = text.at
            yield from text.skip_space()
            if not (yield from text.accept(self._markers.call.begin)):
                yield from text.skip_end(self._markers.section.end)
                return True
        if is_any:
            # The next call is none; what it was begun with is content, too.
            text.at = behind
        return is_any

    def read_call(self, text: Text, calls: Calls) -> Script[bool]:
        """Read one call behind its first token; return whether it is one."""
        raise NotImplementedError

    def one_call(self, tool: Tool, arguments: str) -> str:
        """Return the expression of a call between its tokens."""
        raise NotImplementedError

    def call_expression(self, grammar: CallGrammar, tool_use: ToolUse) -> str:
        """Return the expression of the section."""
        section, call = self._markers.section, self._markers.call
        begin, end = literal(call.begin), literal(call.end)
        one = grammar.any_tool(
            tool_use.callable_tools,
            lambda tool: f"{begin} {self.one_call(tool, grammar.arguments(tool))} {end}",
        )
        more = f" ( space {one} )*" if tool_use.is_parallel else ""
        return f"{literal(section.begin)} space {one}{more} space {literal(section.end)}"


class DeepSeekFormat(SectionFormat):
    """DeepSeek R1, V3 and V3.1, and distilled models.

    Args:
        is_fenced: Whether the arguments come in a code block, as before V3.1; either is read.
        describes_tools: Whether the template knows calls, but no tools.
        reasoning: What stands around reasoning.
    """

    def __init__(
        self, *, is_fenced: bool, describes_tools: bool = False, reasoning: Markers | None = None
    ) -> None:
        super().__init__(DEEPSEEK, reasoning)
        self.describes_tools = describes_tools
        self._is_fenced = is_fenced

    def prepare(self, messages: list[Message], tool_use: ToolUse) -> list[Message]:
        """Tell of the tools if the template does not."""
        return with_tools(messages, tool_use, _FORM) if self.describes_tools else messages

    def read_call(self, text: Text, calls: Calls) -> Script[bool]:
        """Read `NAME<sep>{...}`, or `function<sep>NAME` and a code block."""
        name = yield from text.read_until(self._markers.between)
        if name is None:
            return False
        yield from text.skip_space()
        if not text.rest.startswith("{"):
            name = yield from text.read_until("\n")
            yield from text.skip_end("```json")
            yield from text.skip_space()
        name = (name or "").strip()
        if not calls.allows(name) or not text.rest.startswith("{"):
            return False
        yield calls.begin(name)
        yield from pass_on_object(text, calls.more)
        yield from text.skip_end("```")
        return True

    def one_call(self, tool: Tool, arguments: str) -> str:
        """Return the expression of a call."""
        between = literal(self._markers.between)
        if self._is_fenced:
            name = literal(f"{tool.name}\n```json\n")
            return f'"function" {between} {name} {arguments} {_FENCE}'
        return f"{literal(tool.name)} {between} {arguments}"


class KimiFormat(SectionFormat):
    """Kimi K2, whose ids tell the name."""

    def __init__(self, reasoning: Markers | None = None) -> None:
        super().__init__(KIMI, reasoning)

    def read_call(self, text: Text, calls: Calls) -> Script[bool]:
        """Read `functions.NAME:INDEX<...argument_begin|>{...}`."""
        call_id = ((yield from text.read_until(self._markers.between)) or "").strip()
        name = call_id.removeprefix("functions.").rpartition(":")[0]
        yield from text.skip_space()
        if not calls.allows(name) or not text.rest.startswith("{"):
            return False
        yield calls.begin(name, call_id=call_id)
        yield from pass_on_object(text, calls.more)
        return True

    def one_call(self, tool: Tool, arguments: str) -> str:
        """Return the expression of a call."""
        between = literal(self._markers.between)
        return f"{literal(f'functions.{tool.name}:')} [0-9]{{1,4}} {between} {arguments}"
