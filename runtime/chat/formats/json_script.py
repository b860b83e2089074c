"""Reading JSON from a growing text, as loosely as is safe: brackets and strings have to match."""

import json
import re
from collections.abc import Callable

from runtime.chat.deltas import Delta
from runtime.chat.formats.script import Script, Text

# No key or name of a tool is longer; a quote that never ends must not hold an answer back.
MAX_STRING_CHARS = 1000

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"[-+.0-9A-Za-z]*")


class _Container:
    """Finds the end of an object or an array."""

    def __init__(self) -> None:
        self.is_closed = False
        self._depth = 0
        self._is_string = False
        self._is_escaped = False

    def num_inside(self, text: str) -> int:
        """Return how many of the next characters belong to it."""
        for index, character in enumerate(text):
            if self._is_escaped:
                self._is_escaped = False
            elif self._is_string:
                self._is_escaped = character == "\\"
                self._is_string = character != '"'
            elif character == '"':
                self._is_string = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if not self._depth:
                    self.is_closed = True
                    return index + 1
        return len(text)


def json_text(text: str) -> str:
    """Return a text as a string of JSON."""
    return json.dumps(text, ensure_ascii=False)


def as_json(value: str) -> str:
    """Return a value if it is JSON, else as a string of JSON."""
    try:
        json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return json_text(value)
    return value


def read_string(text: Text) -> Script[str | None]:
    """Return the string that comes next; None if there is none."""
    while True:
        rest = text.rest
        if match := _STRING.match(rest[:MAX_STRING_CHARS]):
            text.at += match.end()
            return _decoded(match[0])
        is_none = bool(rest) and not rest.startswith('"')
        if is_none or len(rest) >= MAX_STRING_CHARS or not (yield from text.more()):
            return None


def pass_on_object(text: Text, delta: Callable[[str], Delta]) -> Script[None]:
    """Yield the text of an object, which has to come next, as it grows."""
    container = _Container()
    while True:
        if inside := text.take(container.num_inside(text.rest)):
            yield delta(inside)
        text.forget()
        if container.is_closed or not (yield from text.more()):
            return


def read_value(text: Text) -> Script[str]:
    """Return the text of the value that comes next, or of what there is of it."""
    start = text.rest[:1] or ((yield from text.more()) and text.rest[:1])
    if start == '"':
        value = yield from read_string(text)
        return "" if value is None else json_text(value)
    taken = ""
    if start and start in "{[":
        container = _Container()
        while True:
            taken += text.take(container.num_inside(text.rest))
            if container.is_closed or not (yield from text.more()):
                return taken
    while True:
        match = _SCALAR.match(text.rest)
        taken += text.take(match.end() if match else 0)
        if text.rest or not (yield from text.more()):
            return taken


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _decoded(literal: str) -> str | None:
    try:
        value = json.loads(literal, strict=False)
    except ValueError:
        return None
    assert isinstance(value, str), "it is in quotes"
    return value
