"""Gemma 4: calls in a notation of its own, which becomes JSON."""

from collections.abc import Callable
from typing import Any

from runtime.chat.deltas import Delta
from runtime.chat.formats.call_grammar import CallGrammar
from runtime.chat.formats.calls import Calls
from runtime.chat.formats.json_script import as_json, json_text, read_string, read_value
from runtime.chat.formats.marked_format import MarkedFormat, Markers
from runtime.chat.formats.script import Script, Text
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.sampling.json_grammar import literal

_QUOTE = '<|"|>'
_MAX_DEPTH = 50


class GemmaFormat(MarkedFormat):
    """`<|tool_call>call:NAME{key:<|"|>text<|"|>,other:[1,true]}<tool_call|>`."""

    call_markers = ("<|tool_call>",)
    control_texts = ("<tool_call|>", _QUOTE)
    reasons_again = True

    def __init__(self) -> None:
        super().__init__(Markers("<|channel>thought", "<channel|>"))

    def read_calls(self, text: Text, marker: str, calls: Calls) -> Script[bool]:
        """Read one call."""
        yield from text.skip_space()
        if not (yield from text.accept("call:")):
            return False
        name = ((yield from text.read_until("{")) or "").strip()
        if not calls.allows(name):
            return False
        yield calls.begin(name)
        # The brace was read with the name.
        text.at -= 1
        yield from _Notation(text, calls.more).read_value()
        yield from text.skip_end("<tool_call|>")
        return True

    def call_expression(self, grammar: CallGrammar, tool_use: ToolUse) -> str:
        """Return the expression of all calls."""
        rules = _NotationRules(grammar)

        def call(tool: Tool) -> str:
            begin = literal(f"<|tool_call>call:{tool.name}")
            return f'{begin} {rules.arguments(tool)} "<tool_call|>"'

        one = grammar.any_tool(tool_use.callable_tools, call)
        return f"{one} ( space {one} )*" if tool_use.is_parallel else one


class _Notation:
    """Reads a value and yields it as JSON; returns whether it was whole."""

    def __init__(self, text: Text, delta: Callable[[str], Delta]) -> None:
        self._text = text
        self._delta = delta

    def read_value(self, depth: int = 0) -> Script[bool]:
        yield from self._text.skip_space()
        if (yield from self._text.accept(_QUOTE)):
            return (yield from self._read_string())
        if depth < _MAX_DEPTH and (yield from self._text.accept("{")):
            return (yield from self._read_members("{", "}", depth))
        if depth < _MAX_DEPTH and (yield from self._text.accept("[")):
            return (yield from self._read_members("[", "]", depth))
        value = yield from read_value(self._text)
        if value:
            yield self._delta(as_json(value))
        return bool(value)

    def _read_string(self) -> Script[bool]:
        yield self._delta('"')
        end = yield from self._text.pass_on(
            [_QUOTE],
            lambda part: self._delta(json_text(part)[1:-1]),
            trims=False,
        )
        if end:
            yield from self._text.accept(end)
            yield self._delta('"')
        return bool(end)

    def _read_members(self, begin: str, end: str, depth: int) -> Script[bool]:
        yield self._delta(begin)
        yield from self._text.skip_space()
        if (yield from self._text.accept(end)):
            yield self._delta(end)
            return True
        while True:
            if begin == "{" and not (yield from self._read_key()):
                return False
            if not (yield from self.read_value(depth + 1)):
                return False
            yield from self._text.skip_space()
            if (yield from self._text.accept(end)):
                yield self._delta(end)
                return True
            if not (yield from self._text.accept(",")):
                return False
            yield self._delta(",")

    def _read_key(self) -> Script[bool]:
        yield from self._text.skip_space()
        start = self._text.at
        key = yield from read_string(self._text)
        if key is None:
            self._text.at = start
            is_quoted = yield from self._text.accept(_QUOTE)
            key = yield from self._text.read_until(_QUOTE if is_quoted else ":")
            if key is None:
                return False
            if not is_quoted:
                self._text.at -= 1
        yield from self._text.skip_space()
        if not (yield from self._text.accept(":")):
            return False
        yield self._delta(f"{json_text(key.strip())}:")
        return True


class _NotationRules:
    """Writes the rules of the notation.

    Where a call is required, they follow the schemas' types, with the arguments sorted by name, as
    the template writes them; where it is not, any object is allowed.
    """

    def __init__(self, grammar: CallGrammar) -> None:
        self._grammar = grammar
        add, rules = grammar.rules.add, grammar.rules
        self._string = add(f"{literal(_QUOTE)} {grammar.until(_QUOTE)}")
        key = add('[^:,{}"<>\\n]{1,100} ":" space')
        self._value = rules.reserve()
        member = add(f"{key} {self._value}")
        members = f'( {member} ( "," space {member} )* )?'
        self._object = add(f'"{{" space {members} space "}}"')
        items = f'( {self._value} ( "," space {self._value} )* )?'
        self._array = add(f'"[" space {items} space "]"')
        ways = (self._string, self._object, self._array, "number", "boolean", "null")
        rules.define(self._value, " | ".join(ways))

    def arguments(self, tool: Tool) -> str:
        """Return the name of the rule of a tool's arguments."""
        if not self._grammar.is_strict or not (properties := self._grammar.properties(tool)):
            return self._object
        return self._members(properties, tool.parameters.get("required") or [])

    def _members(self, properties: dict[str, Any], required: list[str]) -> str:
        # What can follow when nothing came before, and when something did.
        after_none = after_some = ""
        for name in sorted(properties, reverse=True):
            pair = self._grammar.rules.add(f'{literal(name)} ":" {self._of(properties[name])}')
            first = self._grammar.rules.add(f"{pair} {after_some}")
            more = f'( "," {pair} )'
            if name in required:
                after_none, after_some = first, f"{more} {after_some}"
            else:
                after_none = (
                    self._grammar.rules.add(f"{first} | {after_none}")
                    if after_none
                    else f"{first}?"
                )
                after_some = f"{more}? {after_some}"
        return self._grammar.rules.add(f'"{{" {after_none} "}}"')

    def _of(self, schema: Any) -> str:
        match schema:
            case {"enum": [*values]} if values and all(isinstance(each, str) for each in values):
                return f"( {' | '.join(literal(_QUOTE + each + _QUOTE) for each in values)} )"
            case {"type": "string"}:
                return self._string
            case {"type": "number" | "integer" | "boolean" as kind}:
                return str(kind)
            case {"type": "array"}:
                item = self._of(schema.get("items"))
                return self._grammar.rules.add(f'"[" ( {item} ( "," {item} )* )? "]"')
            case {"type": "object", "properties": dict(properties)} if properties:
                return self._members(properties, schema.get("required") or [])
            case {"type": "object"}:
                return self._object
        return self._value
