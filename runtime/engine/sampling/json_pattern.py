r"""Regular expressions over the text of a JSON string, as expressions of a grammar.

Understood are literals, escapes, classes, `.`, groups, `|`, quantifiers, and `^` and `$` around a
whole alternative. Look-around, back references, `\b` and `\p{...}` are not.
"""

import re
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from runtime.engine.sampling.json_grammar import GrammarRules
from runtime.engine.sampling.schema_errors import SchemaError
from runtime.errors import RequestError

MAX_GROUP_DEPTH = 30
MAX_REPETITIONS = 10_000

_LAST = 0x10FFFF
_Ranges = list[tuple[int, int]]
_DIGITS: _Ranges = [(0x30, 0x39)]
_WORDS: _Ranges = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
_SPACES: _Ranges = [(0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0xFEFF, 0xFEFF)]
_LINE_ENDS: _Ranges = [(0x0A, 0x0A), (0x0D, 0x0D)]
_CONTROLS = {"n": 0x0A, "r": 0x0D, "t": 0x09, "f": 0x0C, "v": 0x0B, "0": 0x00}
# How JSON spells what cannot stand in a string as it is.
_SPELLINGS = {code: f"\\\\u{code:04x}" for code in range(0x20)}
_SPELLINGS |= {0x08: r"\\b", 0x09: r"\\t", 0x0A: r"\\n", 0x0C: r"\\f", 0x0D: r"\\r"}
_SPELLINGS |= {0x22: r"\\\"", 0x5C: r"\\\\"}

_BRACES = re.compile(r"\{(\d{1,9})(,(\d{0,9}))?\}")


class _Piece(msgspec.Struct, frozen=True):
    """An expression, and whether it matches the empty text."""

    text: str
    is_nullable: bool


def pattern_rule(rules: GrammarRules, pattern: str, path: str) -> str:
    """Return the name of the rule of a string that a pattern matches.

    Raises:
        SchemaError: The pattern is not valid, or needs what is not supported.
    """
    return rules.add(f'"\\"" {PatternParser(rules, pattern, path).whole()} "\\""')


class PatternParser:
    """Reads one pattern from left to right.

    Args:
        rules: Where its rules are written.
        pattern: What to read.
        path: Where in the schema it stands, as a JSON pointer.

    Attributes:
        beyond: The expression of what may stand where a pattern has no anchor.
        spellings: Characters that cannot stand in the text as they are, and what stands there.
    """

    beyond: ClassVar[str] = "character*"
    spellings: ClassVar[Mapping[int, str]] = _SPELLINGS

    def __init__(self, rules: GrammarRules, pattern: str, path: str) -> None:
        self._rules = rules
        self._pattern = pattern
        self._path = path
        self._at = 0
        self._depth = 0

    def whole(self) -> str:
        """Return the expression of the whole pattern; an end without an anchor is open."""
        ways = [self._anchored()]
        while self._skip("|"):
            ways.append(self._anchored())
        if self._at < len(self._pattern):
            raise self._error("has a ) without a (")
        return self._rules.add(" | ".join(ways))

    def _anchored(self) -> str:
        before = "" if self._skip("^") else self.beyond
        piece = self._sequence()
        after = "" if self._skip("$") else self.beyond
        if self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            raise self._error("has a $ that is not at the end")
        return f"{before} {piece.text} {after}".strip() or '""'

    def _alternatives(self) -> _Piece:
        ways = [self._sequence()]
        while self._skip("|"):
            ways.append(self._sequence())
        is_nullable = any(way.is_nullable for way in ways)
        return _Piece(self._rules.add(" | ".join(way.text or '""' for way in ways)), is_nullable)

    def _sequence(self) -> _Piece:
        pieces = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)$":
            pieces.append(self._quantified(self._atom()))
        text = " ".join(piece.text for piece in pieces)
        return _Piece(text, all(piece.is_nullable for piece in pieces))

    def _quantified(self, piece: _Piece) -> _Piece:
        bounds = self._quantifier()
        if bounds is None:
            return piece
        low, high = bounds
        self._skip("?")
        if self._quantifier() is not None:
            raise self._error("has two quantifiers in a row")
        if piece.is_nullable:
            raise self._error("repeats what may be empty")
        if high is not None and high < low:
            raise self._error("has a quantifier whose limits are the wrong way round")
        if max(low, high or 0) > MAX_REPETITIONS:
            raise self._error(f"repeats something more than {MAX_REPETITIONS} times")
        if (low, high) == (0, 0):
            return _Piece("", True)
        return _Piece(self._rules.repeat(self._rules.add(piece.text), low, high), low == 0)

    def _quantifier(self) -> tuple[int, int | None] | None:
        for sign, low, high in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._skip(sign):
                return low, high
        if found := _BRACES.match(self._pattern, self._at):
            self._at = found.end()
            least = int(found[1])
            if not found[2]:
                return least, least
            return least, int(found[3]) if found[3] else None
        return None

    def _atom(self) -> _Piece:
        character = self._next()
        match character:
            case "(":
                return self._group()
            case "[":
                return _Piece(self._class(), False)
            case ".":
                return _Piece(self._spelled(_complement(_LINE_ENDS)), False)
            case "\\":
                return _Piece(self._spelled(self._escape()), False)
            case "^":
                raise self._error("has a ^ that is not at the start")
            case "*" | "+" | "?":
                raise self._error(f"has a {character} with nothing before it")
        return _Piece(self._spelled([(ord(character), ord(character))]), False)

    def _group(self) -> _Piece:
        if self._skip("?") and not self._skip(":"):
            raise self._error("has a group that begins with (?, of which only (?: is supported")
        self._depth += 1
        if self._depth > MAX_GROUP_DEPTH:
            raise self._error(f"nests groups over {MAX_GROUP_DEPTH} deep")
        piece = self._alternatives()
        if not self._skip(")"):
            raise self._error("has a ( without a ), or an anchor inside a group")
        self._depth -= 1
        return piece

    def _class(self) -> str:
        is_negated = self._skip("^")
        ranges: _Ranges = []
        while not self._skip("]"):
            first = self._class_item()
            if self._pattern[self._at : self._at + 1] == "-" and not self._starts("-]"):
                self._at += 1
                last = self._class_item()
                if len(first) > 1 or len(last) > 1 or first[0][0] > last[0][1]:
                    raise self._error("has a range in a class that is the wrong way round")
                first = [(first[0][0], last[0][1])]
            ranges += first
        ranges = _complement(ranges) if is_negated else _complement(_complement(ranges))
        if not ranges:
            raise self._error("has an empty class")
        return self._spelled(ranges)

    def _class_item(self) -> _Ranges:
        character = self._next()
        if character != "\\":
            return [(ord(character), ord(character))]
        if self._skip("b"):
            return [(0x08, 0x08)]
        return self._escape()

    def _escape(self) -> _Ranges:
        character = self._next()
        known = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
        if character in known:
            return known[character]
        if character.lower() in known:
            return _complement(known[character.lower()])
        if character in "xu":
            code = self._hex(2 if character == "x" else 4)
            return [(code, code)]
        if character in _CONTROLS:
            return [(_CONTROLS[character], _CONTROLS[character])]
        if character.isascii() and character.isalnum():
            raise self._error(f"has the escape \\{character}, which is not supported")
        return [(ord(character), ord(character))]

    def _hex(self, num_digits: int) -> int:
        digits = self._pattern[self._at : self._at + num_digits]
        if not re.fullmatch(f"[0-9a-fA-F]{{{num_digits}}}", digits):
            raise self._error(f"has an escape without its {num_digits} hexadecimal digits")
        self._at += num_digits
        return int(digits, 16)

    def _spelled(self, ranges: _Ranges) -> str:
        """Return the expression of one of some characters, as the text spells them."""
        special = [
            f'"{self.spellings[code]}"'
            for code in self.spellings
            if any(first <= code <= last for first, last in ranges)
        ]
        plain = _complement(_complement(ranges) + [(code, code) for code in self.spellings])
        ways = [f"[{''.join(_class_range(*each) for each in plain)}]"] if plain else []
        if not ways and not special:
            raise self._error("names half of a surrogate pair")
        if not special:
            return ways[0]
        return self._rules.add(" | ".join(ways + special))

    def _next(self) -> str:
        if self._at == len(self._pattern):
            raise self._error("ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    def _starts(self, text: str) -> bool:
        return self._pattern.startswith(text, self._at)

    def _skip(self, text: str) -> bool:
        found = self._starts(text)
        self._at += len(text) * found
        return found

    def _error(self, reason: str) -> RequestError:
        return SchemaError(self._path, f"the pattern {reason} (character {self._at})")


def _complement(ranges: _Ranges) -> _Ranges:
    """Return all other characters, in order; halves of surrogate pairs are none."""
    result, start = [], 0
    for first, last in sorted([*ranges, (0xD800, 0xDFFF)]):
        if first > start:
            result.append((start, first - 1))
        start = max(start, last + 1)
    if start <= _LAST:
        result.append((start, _LAST))
    return result


def _class_range(first: int, last: int) -> str:
    ends = [f"\\U{code:08X}" for code in (first, last)]
    return ends[0] if first == last else "-".join(ends)
