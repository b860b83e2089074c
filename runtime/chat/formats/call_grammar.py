"""The parts of grammars for answers: tools' arguments, free text, and other grammars."""

import logging
import re
from collections.abc import Callable
from typing import Any

from runtime.chat.formats.json_script import json_text
from runtime.chat.tools import Tool
from runtime.engine.sampling.json_grammar import GrammarRules, literal
from runtime.engine.sampling.json_schema import schema_rule
from runtime.engine.sampling.schema_errors import SchemaError
from runtime.errors import RequestError

logger = logging.getLogger(__name__)

GAP = r"[ \n\r\t]{0,8}"
"""The expression of white space between the parts of an answer."""

# Where a schema keeps parts that others refer to.
_SHARED = ("$defs", "definitions")

# What is no name of a rule in a grammar's text: strings, classes, repetitions, tokens, comments.
_NO_NAME = re.compile(
    r'("(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|\{[^}]*\}|!?<[^>]*>|#.*)|([A-Za-z0-9-]+)'
)


class CallGrammar:
    """Rules that are written for one request.

    Args:
        is_strict: Whether a tool whose schema cannot become a grammar is an error; if not, any
            object is taken for its arguments.

    Attributes:
        rules: The rules that are written.
        is_strict: As given.
    """

    def __init__(self, *, is_strict: bool) -> None:
        self.rules = GrammarRules()
        self.is_strict = is_strict
        self._others: dict[str, str] = {}

    def arguments(self, tool: Tool) -> str:
        """Return the name of the rule of a tool's arguments as JSON.

        Raises:
            RequestError: The grammar is strict, and the tool's schema cannot be used.
        """
        return self._schema_rule(tool, tool.parameters | {"type": "object"}, "object")

    def properties(self, tool: Tool) -> dict[str, Any]:
        """Return the schemas of a tool's arguments.

        Raises:
            RequestError: The grammar is strict, and the tool's schema cannot be used.
        """
        if self.is_strict:
            CallGrammar(is_strict=True).arguments(tool)
        properties = tool.parameters.get("properties")
        return properties if isinstance(properties, dict) else {}

    def value(self, tool: Tool, schema: Any) -> str:
        """Return the name of the rule of one argument as JSON.

        Raises:
            RequestError: The grammar is strict, and the schema cannot be used.
        """
        named = {key: tool.parameters[key] for key in _SHARED if key in tool.parameters}
        whole = named | schema if isinstance(schema, dict) else schema
        return self._schema_rule(tool, whole, "value")

    def _schema_rule(self, tool: Tool, schema: Any, otherwise: str) -> str:
        try:
            return schema_rule(schema, self.rules)
        except SchemaError as error:
            if self.is_strict:
                raise RequestError(f"The tool {tool.name} cannot be used. {error}") from error
            logger.debug("The arguments of %s are not constrained: %s", tool.name, error)
            return otherwise

    def any_tool(self, tools: tuple[Tool, ...], call: Callable[[Tool], str]) -> str:
        """Return the name of the rule of a call of any of some tools.

        Args:
            tools: The tools.
            call: Makes the expression of a call.
        """
        return self.rules.any_of([self.rules.add(call(tool)) for tool in tools])

    def list_of(self, rule: str, *, is_parallel: bool) -> str:
        """Return the expression of a JSON array of one or more of a rule."""
        more = f' ( "," space {rule} space )*' if is_parallel else ""
        return f'"[" space {rule} space{more} "]"'

    def until(self, end: str) -> str:
        """Return the name of the rule of any text up to a given one, and that with it."""
        names = [self.rules.reserve() for _ in end]
        for num_seen, name in enumerate(names):
            ways: dict[int, str] = {}
            for character in dict.fromkeys(end):
                ways.setdefault(_num_matched(end[:num_seen] + character, end), "")
                ways[_num_matched(end[:num_seen] + character, end)] += _escaped(character)
            parts = [
                f"[{characters}]" + (f" {names[target]}" if target < len(end) else "")
                for target, characters in ways.items()
            ]
            others = "".join(map(_escaped, dict.fromkeys(end)))
            self.rules.define(name, " | ".join([*parts, f"[^{others}] {names[0]}"]))
        return names[0]

    def other(self, grammar: str) -> str:
        """Return the name of the root of another grammar, whose rules come under new names."""
        self._others["answer-root"] = _NO_NAME.sub(
            lambda match: match[1] or f"answer-{match[2]}", grammar
        )
        return "answer-root"

    def text(self, root: str) -> str:
        """Return the grammar.

        Args:
            root: The expression that a text has to match.
        """
        return "\n".join([self.rules.text(root), *self._others.values()])


def json_call(
    tool: Tool, arguments: str, *, key: str = "arguments", last: str = "", is_plain: bool = False
) -> str:
    """Return the expression of the object that tells a tool's name and arguments.

    Args:
        tool: The tool.
        arguments: The rule of its arguments.
        key: What they are called.
        last: The expression of what may follow them.
        is_plain: Whether blanks alone may stand between its parts, and none before the name.
    """
    begin, gap = ("", '" "?') if is_plain else ("space", "space")
    return (
        f'"{{" {begin} "\\"name\\":" {gap} {literal(json_text(tool.name))} '
        f'{gap} "," {gap} "\\"{key}\\":" {gap} {arguments} {gap} {last} "}}"'
    )


def _num_matched(text: str, end: str) -> int:
    """Return how much of `end` a text ends with."""
    return next(count for count in range(len(end), -1, -1) if text.endswith(end[:count]))


def _escaped(character: str) -> str:
    return f"\\U{ord(character):08X}"
