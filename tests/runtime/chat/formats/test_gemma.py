"""Tests of Gemma 4's notation."""

import pytest

from runtime.chat.formats.gemma import GemmaFormat
from runtime.chat.tools import Tool, ToolUse
from tests.runtime.chat.formats.grammars import Allows
from tests.runtime.chat.formats.reading import REQUIRED, TOOLS, read_every_way

FORM = GemmaFormat()
CALL = '<|tool_call>call:get_weather{city:<|"|>Köln "am", {Rhein}\n<|"|>,days:2}<tool_call|>'
CLOCK = "<|tool_call>call:clock{}<tool_call|>"
THOUGHT = "<|channel>thought\nThe weather, then.\n<channel|>"


def test_the_notation_becomes_json() -> None:
    """Names of members are quoted, texts escaped."""
    found = read_every_way(f"{THOUGHT}I ask.\n{CALL}{CLOCK}", FORM)
    assert (found.reasoning, found.content) == ("The weather, then.", "I ask.")
    assert found.arguments == [{"city": 'Köln "am", {Rhein}\n', "days": 2}, {}]


def test_nested_values() -> None:
    """Objects, lists and all kinds of values; plain quotes are understood, too."""
    text = (
        '<|tool_call>call:clock{a:[1,-2.5e3,true,null,<|"|>x<|"|>],o:{<|"|>k<|"|>:{}, l:[]},'
        'p: "q\\n", "r": word}<tool_call|>'
    )
    found = read_every_way(text, FORM)
    assert found.arguments == [
        {"a": [1, -2500.0, True, None, "x"], "o": {"k": {}, "l": []}, "p": "q\n", "r": "word"}
    ]


def test_thoughts_after_content() -> None:
    """An empty thought at the end is no content."""
    found = read_every_way("Hello\n<|channel>thought\n<channel|>", FORM)
    assert (found.reasoning, found.content) == ("", "Hello")


@pytest.mark.parametrize(
    "text",
    ["<|tool_call>", "<|tool_call>call:piano{}", "<|tool_call>clock{}", "<|tool_call>call:clock"],
)
def test_what_is_no_call_is_content(text: str) -> None:
    """Not a character of it is lost."""
    assert read_every_way(text, FORM).content == text


def test_a_call_that_is_cut_off_or_broken() -> None:
    """What came of it is told, and what cannot belong to it is content."""
    found = read_every_way('<|tool_call>call:clock{a:<|"|>x', FORM)
    assert found.calls == (("clock", '{"a":"x'),)
    assert read_every_way("<|tool_call>call:clock{a:1;b}", FORM).content == ";b}"
    deep = read_every_way("<|tool_call>call:clock{a:" + "[" * 200, FORM)
    assert deep.calls[0][0] == "clock"


def test_grammars(allows: Allows) -> None:
    """Where a call is required, arguments have the types of the schema."""
    typed = '<|tool_call>call:get_weather{city:<|"|>B<|"|>,days:1,places:[<|"|>a<|"|>]}<tool_call|>'
    wrong = ["Hello", typed.replace("days:1", "days:true"), typed.replace("city", "town")]
    missing = "<|tool_call>call:get_weather{days:1}<tool_call|>"
    accepted = [CALL, typed, CLOCK, f"{THOUGHT}{CALL}{CLOCK}"]
    allows(FORM.constraint("", REQUIRED, ""), accepted, [*wrong, missing])
    allows(FORM.constraint("", TOOLS, ""), ["Hi", f"Hi {CALL}", missing], ["<|tool_call>call:x{}"])


def test_grammars_of_nested_schemas(allows: Allows) -> None:
    """Words, objects and whatever has no type."""
    inner = {"type": "object", "properties": {"b": {"type": "boolean"}, "any": {}}}
    schema = {"properties": {"o": inner, "e": {"enum": ["x", "y"]}, "f": {"type": "object"}}}
    tools = ToolUse((Tool("t", parameters=schema),), "required")
    form = "<|tool_call>call:t{}<tool_call|>"
    values = ['{e:<|"|>y<|"|>,f:{a:[1]},o:{any:null,b:true}}', "{}", '{e:<|"|>x<|"|>}', "{o:{}}"]
    wrong = ['{e:<|"|>z<|"|>}', "{o:{b:1}}", "{f:1}"]
    allows(
        FORM.constraint("", tools, ""),
        [form.replace("{}", value) for value in values],
        [form.replace("{}", value) for value in wrong],
    )
