"""Tests of calls whose arguments stand between tags, as Qwen3-Coder writes them."""

import pytest
from msgspec.structs import replace

from runtime.chat.formats.marked_format import THINK
from runtime.chat.formats.qwen_xml import QwenXmlFormat
from runtime.chat.tools import Tool, ToolUse
from tests.runtime.chat.formats.grammars import Allows
from tests.runtime.chat.formats.reading import CLOCK, REQUIRED, TOOLS, read_every_way

FORM = QwenXmlFormat(THINK)
CALL = """<tool_call>
<function=get_weather>
<parameter=city>
Köln "am"
 Rhein
</parameter>
<parameter=days>
2
</parameter>
<parameter=places>
["</function>", "b"]
</parameter>
</function>
</tool_call>"""
NOW = "<tool_call>\n<function=clock>\n</function>\n</tool_call>"


def test_arguments_become_json() -> None:
    """A string is its text, with line breaks and quotes; other values are JSON already."""
    found = read_every_way(f"<think>Hm.</think>\n\nI look.\n{CALL}\n{NOW}", FORM)
    assert (found.reasoning, found.content) == ("Hm.", "I look.")
    assert [name for name, _ in found.calls] == ["get_weather", "clock"]
    assert found.arguments == [
        {"city": 'Köln "am"\n Rhein', "days": 2, "places": ["</function>", "b"]},
        {},
    ]


def test_the_outer_tag_may_be_missing() -> None:
    """Some answers begin with the function."""
    text = CALL.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>")
    found = read_every_way(text, FORM)
    assert (found.content, found.arguments[0]["days"]) == ("", 2)


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "boolean"}, "True", True),
        ({"type": ["string", "null"]}, "None", None),
        ({"type": "integer"}, "many", "many"),
        ({"type": "number"}, "NaN", "NaN"),
        ({"anyOf": [{"type": "string"}, {"enum": ["a"]}]}, "7", "7"),
        ({"const": "x"}, "x", "x"),
        ({}, '{"a": [1]}', {"a": [1]}),
        ({}, "plain text", "plain text"),
        ({"type": "string"}, "", ""),
    ],
)
def test_values_by_their_schema(schema: object, text: str, value: object) -> None:
    """What is no JSON is taken for a string."""
    tool = Tool("t", parameters={"properties": {"k": schema}})
    answer = f"<tool_call><function=t><parameter=k>\n{text}\n</parameter></function></tool_call>"
    assert read_every_way(answer, FORM, tool_use=ToolUse((tool,))).arguments == [{"k": value}]


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>\n{}",
        "<function=piano>\n</function>",
        "<tool_call>\n<function=clo",
        "a <function",
    ],
)
def test_what_is_no_call_is_content(text: str) -> None:
    """Not a character of it is lost."""
    assert read_every_way(text, FORM).content == text


def test_a_call_that_is_cut_off() -> None:
    """What came of it is told."""
    found = read_every_way(CALL[: CALL.index(" Rhein")], FORM)
    assert found.calls == (("get_weather", '{"city": "Köln \\"am\\"\\n'),)
    broken = read_every_way("<function=clock>\n</tool> Sorry", FORM)
    assert (broken.calls, broken.content) == ((("clock", "{}"),), "</tool> Sorry")


def test_grammars(allows: Allows) -> None:
    """Arguments follow the schema, in its order."""
    only = "<tool_call>\n<function=get_weather>\n{}</function>\n</tool_call>"
    city, days = (f"<parameter={n}>\n{v}\n</parameter>\n" for n, v in (("city", "B"), ("days", 2)))
    refused = [
        only.format(days),
        only.format(city + days.replace("2", "two")),
        only.format(city + city.replace("city", "town")),
        "Hello",
    ]
    accepted = [CALL, NOW, f"{CALL}\n{NOW}", only.format(city), f"<think>\n</think>\n{NOW}"]
    allows(FORM.constraint("", REQUIRED, ""), accepted, refused)
    allows(FORM.constraint("", TOOLS, ""), [CALL, "Hello", f"So: {NOW}"], refused[:-1])
    single = replace(TOOLS, is_parallel=False)
    allows(FORM.constraint("", single, ""), [CALL], [f"{CALL}\n{NOW}"])


def test_grammars_of_words_and_anything(allows: Allows) -> None:
    """An enumeration is spelt out; a tool without declared arguments may have any."""
    color = {"properties": {"c": {"enum": ["red", "blue"]}, "n": {"$ref": "#/$defs/n"}}}
    tools = (Tool("paint", parameters=color | {"$defs": {"n": {"type": "integer"}}}), CLOCK)
    allows(
        FORM.constraint("", ToolUse(tools, "required"), ""),
        [_call("paint", c="red"), _call("paint", c="blue", n="3"), _call("clock", zone="x y")],
        [_call("paint", c="green"), _call("paint", n="x"), _call("piano")],
    )


def _call(name: str, **values: str) -> str:
    parts = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in values.items())
    return f"<tool_call>\n<function={name}>\n{parts}</function>\n</tool_call>"
