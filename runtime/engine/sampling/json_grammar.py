"""The grammar of JSON in GBNF, and rules that are written on top of it."""

import json
from collections.abc import Sequence
from typing import Any

# White space is one blank or one line break with an indent: with more, small models write nothing
# else for ever. An escape of half a character is followed by that of the other half.
_JSON_RULES = r"""
object ::= "{" space ( pair space ( "," space pair space )* )? "}"
value ::= object | array | string | number | boolean | null
pair ::= string ":" space value
array ::= "[" space ( value space ( "," space value space )* )? "]"
string ::= "\"" character* "\""
character ::= [^"\\\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" unit )
unit ::= ( [0-9a-cA-CefEF] hex | [dD] [0-7] ) hex hex | [dD] [89abAB] hex hex "\\u" [dD] [c-fC-F] hex hex
hex ::= [0-9a-fA-F]
number ::= integer fraction? ( [eE] [-+]? [0-9]{1,3} )?
integer ::= "-"? ( "0" | [1-9] [0-9]{0,15} )
fraction ::= "." [0-9]{1,16}
boolean ::= "true" | "false"
null ::= "null"
space ::= ( " " | "\n" [ \t]{0,20} )?
"""  # noqa: E501 - a rule is one line

JSON_OBJECT = f"root ::= object{_JSON_RULES}"

# llama.cpp repeats a symbol up to 2000 times, and copies it for each.
_BLOCK = 100


class GrammarRules:
    """Rules that are being written, beside those of JSON."""

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def reserve(self) -> str:
        """Return the name of a rule whose body comes later."""
        name = f"r{len(self._bodies)}"
        self._bodies[name] = ""
        return name

    def define(self, name: str, body: str) -> None:
        """Give a reserved rule its body."""
        self._bodies[name] = body

    def add(self, body: str) -> str:
        """Return the name of the rule with a body."""
        if body not in self._names:
            self._names[body] = self.reserve()
            self.define(self._names[body], body)
        return self._names[body]

    def any_of(self, names: Sequence[str]) -> str:
        """Return the name of the rule that any of some rules satisfies."""
        unique = list(dict.fromkeys(names))
        return unique[0] if len(unique) == 1 else self.add(" | ".join(unique))

    def repeat(self, name: str, low: int, high: int | None) -> str:
        """Return an expression for `low` to `high` of a rule; None is no limit."""
        if high is None:
            return f"{self._exactly(name, low)} {name}*"
        return f"{self._exactly(name, low)} {self._up_to(name, high - low)}"

    def text(self, root: str) -> str:
        """Return the grammar."""
        own = "\n".join(f"{name} ::= {body}" for name, body in self._bodies.items())
        return f"root ::= {root}{_JSON_RULES}{own}\n"

    def _exactly(self, name: str, count: int) -> str:
        if count <= _BLOCK:
            return f"{name}{{{count}}}" if count else ""
        blocks, rest = divmod(count, _BLOCK)
        return f"{self._exactly(self._block(name), blocks)} {self._exactly(name, rest)}"

    def _up_to(self, name: str, count: int) -> str:
        if count <= _BLOCK:
            return f"{name}{{0,{count}}}" if count else ""
        blocks, rest = divmod(count, _BLOCK)
        block = self._block(name)
        fewer = f"{self._up_to(block, blocks - 1)} {self._up_to(name, _BLOCK - 1)}"
        return self.add(f"{fewer} | {self._exactly(block, blocks)} {self._up_to(name, rest)}")

    def _block(self, name: str) -> str:
        return self.add(f"{name}{{{_BLOCK}}}")


def literal(text: str) -> str:
    """Return the expression that only a text matches."""
    return '"' + "".join(_quoted(character) for character in text) + '"'


def json_literal(value: Any) -> str:
    """Return the expression that only a value of JSON matches, with any white space in it."""
    match value:
        case dict() if value:
            pairs = [
                f'{json_literal(key)} ":" space {json_literal(item)} space'
                for key, item in value.items()
            ]
            return '"{" space ' + ' "," space '.join(pairs) + ' "}"'
        case list() if value:
            return (
                '"[" space '
                + ' "," space '.join(f"{json_literal(v)} space" for v in value)
                + ' "]"'
            )
        case _:
            return literal(json.dumps(value, ensure_ascii=False))


def _quoted(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character >= " " else f"\\x{ord(character):02X}"
