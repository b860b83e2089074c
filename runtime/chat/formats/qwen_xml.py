"""Qwen3-Coder, Qwen 3.5 and others: calls whose arguments stand between tags, each by its name."""

from collections.abc import Callable
from typing import Any

from runtime.chat.deltas import ContentDelta, Delta
from runtime.chat.formats.call_grammar import CallGrammar
from runtime.chat.formats.calls import Calls
from runtime.chat.formats.json_script import as_json, json_text
from runtime.chat.formats.marked_format import MarkedFormat
from runtime.chat.formats.script import Script, Text
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.sampling.json_grammar import literal

_END = "</parameter>"
# The line break belongs to the tag.
_ENDS = (f"\n{_END}", _END)
# Templates show past values as Python writes them.
_PYTHON = {"True": "true", "False": "false", "None": "null"}


class QwenXmlFormat(MarkedFormat):
    """`<tool_call><function=NAME><parameter=KEY>value</parameter></function></tool_call>`.

    A string's value is its text; any other is JSON. What is read becomes JSON at once.
    """

    call_markers = ("<tool_call>", "<function=")
    control_texts = ("</tool_call>",)

    def read_calls(self, text: Text, marker: str, calls: Calls) -> Script[bool]:
        """Read one call; the outer tag may be missing."""
        if marker == "<tool_call>":
            yield from text.skip_space()
            if not (yield from text.accept("<function=")):
                return False
        name = yield from text.read_until(">")
        if name is None or not calls.allows(name):
            return False
        yield calls.begin(name, "{")
        comma = ""
        while (yield from _opens(text)):
            key = (yield from text.read_until(">")) or ""
            yield calls.more(f"{comma}{json_text(key)}: ")
            yield from _read_value(text, calls.properties(name).get(key), calls.more)
            comma = ", "
        if text.rest:
            yield calls.more("}")
            yield from text.skip_end("</function>", "</tool_call>")
        return True

    def call_expression(self, grammar: CallGrammar, tool_use: ToolUse) -> str:
        """Return the expression of all calls."""

        def call(tool: Tool) -> str:
            begin = literal(f"<tool_call>\n<function={tool.name}>\n")
            return f"{begin} {_parameters(grammar, tool)} {end}"

        end = literal("</function>\n</tool_call>")
        one = grammar.any_tool(tool_use.callable_tools, call)
        return f"{one} ( space {one} )*" if tool_use.is_parallel else one


def _opens(text: Text) -> Script[bool]:
    start = text.at
    yield from text.skip_space()
    if (yield from text.accept("<parameter=")):
        return True
    if text.rest:
        text.at = start
    return False


def _read_value(text: Text, schema: Any, delta: Callable[[str], Delta]) -> Script[None]:
    yield from text.accept("\n")
    if _is_string(schema):
        yield delta('"')
        end = yield from text.pass_on(_ENDS, lambda part: delta(json_text(part)[1:-1]), trims=False)
        if end:
            yield delta('"')
    else:
        parts: list[str] = []
        end = yield from _collect(text, parts)
        if end:
            value = "".join(parts).strip()
            yield delta(as_json(_PYTHON.get(value, value)))
    yield from text.accept(end)


def _collect(text: Text, parts: list[str]) -> Script[str]:
    """Gather the text up to the end of a value; return that."""
    script = text.pass_on(_ENDS, ContentDelta, trims=False)
    while True:
        try:
            delta = next(script)
        except StopIteration as stop:
            return str(stop.value)
        if isinstance(delta, ContentDelta):
            parts.append(delta.text)
        else:
            yield None


def _is_string(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list) and values:
        return all(isinstance(value, str) for value in values)
    ways = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(ways, list) and "type" not in schema:
        return all(map(_is_string, ways))
    return schema.get("type") in ("string", ["string"])


def _parameters(grammar: CallGrammar, tool: Tool) -> str:
    """Return the expression of a tool's arguments, in the order of its schema."""
    properties = grammar.properties(tool)
    if not properties:
        name = r"[^>\n]{1,100}"
        return f'( "<parameter=" {name} ">\\n" {grammar.until(_ENDS[0])} "\\n" )*'
    required = tool.parameters.get("required") or []
    parts = []
    for name, schema in properties.items():
        head = literal(f"<parameter={name}>\n")
        one = grammar.rules.add(f'{head} {_value(grammar, tool, schema)} "\\n"')
        parts.append(one if name in required else f"{one}?")
    return " ".join(parts)


def _value(grammar: CallGrammar, tool: Tool, schema: Any) -> str:
    """Return the expression of a value and of what ends it."""
    if not _is_string(schema):
        return f"{grammar.value(tool, schema)} {literal(_ENDS[0])}"
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values:
        return f"( {' | '.join(map(literal, values))} ) {literal(_ENDS[0])}"
    return grammar.until(_ENDS[0])
