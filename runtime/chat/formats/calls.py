"""The tool calls of one answer, as they are read."""

from typing import Any

import msgspec

from runtime.chat.deltas import ToolCallDelta
from runtime.chat.formats.json_script import pass_on_object, read_string, read_value
from runtime.chat.formats.script import Script, Text
from runtime.chat.tools import ToolUse

_ARGUMENTS = ("arguments", "parameters")


class Calls:
    """Numbers calls, and knows which are allowed.

    Args:
        tool_use: The tools of the request.
    """

    def __init__(self, tool_use: ToolUse) -> None:
        self._tools = {tool.name: tool for tool in tool_use.callable_tools}
        self._is_parallel = tool_use.is_parallel
        self._num_begun = 0

    def allows(self, name: str) -> bool:
        """Say whether a call of a tool may come next."""
        return name in self._tools and (self._is_parallel or not self._num_begun)

    def may_allow(self, name: str) -> bool:
        """The same for a name that may still be unknown, and empty then."""
        return not name or self.allows(name)

    def properties(self, name: str) -> dict[str, Any]:
        """Return the schemas of the arguments of a tool that is allowed."""
        properties = self._tools[name].parameters.get("properties")
        return properties if isinstance(properties, dict) else {}

    def begin(self, name: str, arguments: str = "", call_id: str = "") -> ToolCallDelta:
        """Return the beginning of a call."""
        self._num_begun += 1
        return ToolCallDelta(self._num_begun - 1, name, arguments, call_id)

    def more(self, arguments: str) -> ToolCallDelta:
        """Return more of the latest call's arguments."""
        return ToolCallDelta(self._num_begun - 1, arguments=arguments)


def read_call_object(text: Text, calls: Calls, *, is_inner: bool = False) -> Script[bool]:
    """Read an object that tells a tool's name and arguments, under any of the names in use.

    Args:
        text: What is read.
        calls: The answer's calls so far.
        is_inner: Whether it stands inside of such an object.

    Returns:
        Whether it is a call; if not, the caller sets the text back.
    """
    if not (yield from text.accept("{")):
        return False
    head = _Head()
    is_first = True
    while not (yield from _closes(text)):
        key = yield from _key(text, is_first=is_first)
        is_first = False
        if key in _ARGUMENTS and head.name and text.rest.startswith("{"):
            yield calls.begin(head.name, call_id=head.id)
            yield from pass_on_object(text, calls.more)
            yield from _pass_rest(text)
            return True
        if key == "function" and not head.name and not is_inner:
            if (yield from read_call_object(text, calls, is_inner=True)):
                yield from _pass_rest(text)
                return True
            return False
        if not (yield from head.read(key, text)) or not calls.may_allow(head.name):
            return False
    if not head.name:
        return False
    yield calls.begin(head.name, head.arguments or "{}", head.id)
    return True


def read_call_list(text: Text, calls: Calls) -> Script[bool]:
    """Read an array of such objects, or one alone; return whether there was a call."""
    is_list = yield from text.accept("[")
    is_any = False
    while True:
        start = text.at
        yield from text.skip_space()
        if not (yield from read_call_object(text, calls)):
            # What comes instead of another call is not part of the list.
            text.at = start
            return is_any
        is_any = True
        if not is_list:
            return True
        yield from text.skip_space()
        if not (yield from text.accept(",")):
            yield from text.accept("]")
            return True


class _Head(msgspec.Struct):
    """What is known of a call before its arguments are passed on."""

    name: str = ""
    id: str = ""
    arguments: str = ""

    def read(self, key: str, text: Text) -> Script[bool]:
        """Read a member's value; return whether a call has such a member."""
        if key in _ARGUMENTS and not self.name and text.rest.startswith("{"):
            self.arguments = yield from read_value(text)
            return True
        if key not in ("name", "id", "type"):
            return False
        value = yield from read_string(text)
        if key == "name":
            self.name = value or ""
        elif key == "id":
            self.id = value or ""
        return bool(value)


def _closes(text: Text) -> Script[bool]:
    yield from text.skip_space()
    return (yield from text.accept("}"))


def _key(text: Text, *, is_first: bool) -> Script[str]:
    """Return the next member's name, and go on to its value."""
    if not is_first and not (yield from text.accept(",")):
        return ""
    yield from text.skip_space()
    key = yield from read_string(text)
    yield from text.skip_space()
    if key is None or not (yield from text.accept(":")):
        return ""
    yield from text.skip_space()
    return key


def _pass_rest(text: Text) -> Script[None]:
    """Go on behind the members that follow the arguments, as far as they are any."""
    while True:
        start = text.at
        if (yield from _closes(text)):
            return
        key = yield from _key(text, is_first=False)
        if not key or not (yield from read_value(text)):
            text.at = start
            return
