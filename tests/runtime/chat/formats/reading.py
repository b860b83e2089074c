"""Recorded answers, read whole and in pieces."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta, ToolCallDelta
from runtime.chat.formats.output_format import OutputFormat
from runtime.chat.tools import Tool, ToolUse

WEATHER = Tool(
    "get_weather",
    "Tells the weather.",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "places": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["city"],
    },
)
CLOCK = Tool("clock", "Tells the time.", {"type": "object", "properties": {}})
TOOLS = ToolUse((WEATHER, CLOCK))
REQUIRED = ToolUse((WEATHER, CLOCK), "required")


@dataclass(frozen=True)
class Read:
    """What an answer was read as."""

    reasoning: str
    content: str
    calls: tuple[tuple[str, str], ...]

    @property
    def arguments(self) -> list[Any]:
        """The arguments of its calls."""
        return [json.loads(arguments) for _, arguments in self.calls]

    @property
    def text(self) -> str:
        """All of its texts, without white space."""
        parts = [self.reasoning, self.content, *(text for call in self.calls for text in call)]
        return "".join("".join(parts).split())


def read(pieces: Iterable[str], form: OutputFormat, prompt: str, tool_use: ToolUse) -> Read:
    """Return what an answer is read as."""
    reader = form.reader(prompt, tool_use)
    deltas: list[Delta] = []
    for piece in pieces:
        deltas += reader.feed(piece)
    return _merged([*deltas, *reader.finish()])


def read_every_way(
    text: str, form: OutputFormat, prompt: str = "", tool_use: ToolUse = TOOLS
) -> Read:
    """Return what an answer is read as, the same wherever it is cut."""
    whole = read([text], form, prompt, tool_use)
    assert read(text, form, prompt, tool_use) == whole
    for at in range(1, len(text)):
        assert read([text[:at], text[at:]], form, prompt, tool_use) == whole, text[at:]
    return whole


def _merged(deltas: Sequence[Delta]) -> Read:
    reasoning = content = ""
    calls: list[tuple[str, str]] = []
    for delta in deltas:
        match delta:
            case ReasoningDelta(text):
                assert text
                reasoning += text
            case ContentDelta(text):
                assert text
                content += text
            case ToolCallDelta(index, name, arguments, _):
                assert bool(name) == (index == len(calls)), "a call's first delta has its name"
                if name:
                    calls.append((name, ""))
                assert index == len(calls) - 1, "calls come one by one"
                calls[-1] = (calls[-1][0], calls[-1][1] + arguments)
    return Read(reasoning, content, tuple(calls))
