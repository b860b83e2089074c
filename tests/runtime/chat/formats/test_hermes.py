"""Tests of JSON calls between tags, as Hermes, Qwen and Granite 4 write them."""

import pytest
from msgspec.structs import replace

from runtime.chat.formats.hermes import HermesFormat
from runtime.chat.formats.marked_format import THINK
from runtime.chat.tools import NO_TOOLS, Tool, ToolUse
from runtime.engine.sampling.json_schema import schema_grammar
from runtime.errors import RequestError
from tests.runtime.chat.formats.grammars import Allows
from tests.runtime.chat.formats.reading import REQUIRED, TOOLS, read_every_way

FORM = HermesFormat(THINK)
CALL = (
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Köln", "days": 2}}\n</tool_call>'
)
CLOCK = '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>'
THOUGHT = "<think>\nThe user wants the weather.\n</think>\n\n"


def test_a_call_after_thoughts_and_words() -> None:
    """Reasoning, content and a call come apart, without the white space between them."""
    found = read_every_way(f"{THOUGHT}I look it up.\n\n{CALL}", FORM)
    assert found.reasoning == "The user wants the weather."
    assert found.content == "I look it up."
    assert found.calls == (("get_weather", '{"city": "Köln", "days": 2}'),)


def test_several_calls() -> None:
    """Calls are numbered, and what comes behind them is content."""
    found = read_every_way(f"{CALL}\n{CLOCK}\nSo much for that.", FORM)
    assert found.calls == (("get_weather", '{"city": "Köln", "days": 2}'), ("clock", "{}"))
    assert found.content == "So much for that."


def test_a_prompt_that_opens_the_thoughts() -> None:
    """The answer begins inside the reasoning, and may open it once more."""
    for opening in ("", "<think>\n"):
        found = read_every_way(f"{opening}Hm.\n</think>\n\nHello", FORM, "<|assistant|>\n<think>\n")
        assert (found.reasoning, found.content) == ("Hm.", "Hello")


def test_thoughts_without_an_end() -> None:
    """An answer that is cut off inside of them is all reasoning."""
    found = read_every_way("<think>\nI need <tool_call> and </thin", FORM)
    assert (found.reasoning, found.content) == ("I need <tool_call> and </thin", "")


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "unknown", "arguments": {}}\n</tool_call>',
        "Write <tool_call> around it.",
        "<tool_call>",
        '<tool_call>{"name": "clock"',
        '<tool_call>{"name": "clock", "arguments": 3}</tool_call>',
        '<tool_call>{"mood": "clock"}</tool_call>',
        "<tool_call>[]</tool_call>",
        "  a < b <tool_cal",
    ],
)
def test_what_is_no_call_is_content(text: str) -> None:
    """Not a character of it is lost."""
    assert read_every_way(text, FORM).content == text


def test_other_ways_to_say_the_same() -> None:
    """Members in another order, under other names, or more of them, are understood."""
    for text in (
        '{"arguments": {"city": "Bonn"}, "name": "get_weather"}',
        '{"type": "function", "name": "get_weather", "parameters": {"city": "Bonn"}}',
        '{"name": "get_weather", "arguments": {"city": "Bonn"}, "id": "7", "n": [1, {}]}',
        '{"id": "1", "function": {"name": "get_weather", "arguments": {"city": "Bonn"}}}',
    ):
        found = read_every_way(f"<tool_call>{text}</tool_call>", FORM)
        assert found.calls == (("get_weather", '{"city": "Bonn"}'),)
        assert not found.content


def test_braces_and_escapes_in_strings() -> None:
    """A string ends nothing but itself."""
    arguments = '{"city": "a\\"}</tool_call>\\\\", "places": ["]", "{"]}'
    text = f'<tool_call>{{"name": "get_weather", "arguments": {arguments}}}</tool_call>'
    assert read_every_way(text, FORM).calls == (("get_weather", arguments),)


def test_a_call_that_is_cut_off() -> None:
    """What came of the arguments is told; a lost end is no content."""
    found = read_every_way(CALL[: CALL.index('"days')], FORM)
    assert found.calls == (("get_weather", '{"city": "Köln", '),)
    assert read_every_way(CALL[: -len("\n</tool_call>")], FORM).content == ""


def test_arguments_come_as_they_are_written() -> None:
    """A call's name and the beginning of its arguments do not wait for the end."""
    reader = FORM.reader("", TOOLS)
    deltas = reader.feed('<tool_call>\n{"name": "get_weather", "arguments": {"ci')
    assert [getattr(delta, "arguments", None) for delta in deltas] == ["", '{"ci']


def test_without_tools_markers_are_text() -> None:
    """Where no tool may be called, a call is content."""
    assert read_every_way(CALL, FORM, tool_use=NO_TOOLS).content == CALL


def test_a_required_call(allows: Allows) -> None:
    """Nothing but calls is allowed, after thoughts."""
    accepted = [CALL, f"{CALL}\n{CLOCK}", f"<think>Hm <tool_call></think>\n\n{CALL}"]
    refused = ["Hello", "<tool_call>Hello", THOUGHT, CALL.replace("Köln", '", "x": "')]
    allows(FORM.constraint("", REQUIRED, ""), accepted, refused)


def test_a_prompt_that_closed_the_thoughts(allows: Allows) -> None:
    """Then there are no more; and where it opened them, they have to end."""
    closed = FORM.constraint("<think>\n\n</think>\n\n", REQUIRED, "")
    allows(closed, [CALL], [f"{THOUGHT}{CALL}"])
    opened = FORM.constraint("<think>\n", REQUIRED, "")
    allows(opened, [f"Hm. </thin</think>\n\n{CALL}"], [CALL, "Hm."])


def test_a_call_that_was_begun_is_finished(allows: Allows) -> None:
    """Where calls are the model's choice, their marker brings the grammar."""
    constraint = FORM.constraint("", TOOLS, "")
    accepted = [
        "Hello",
        f"Look: {CALL}\n{CLOCK}",
        f"{THOUGHT}{CALL}",
        "<think><tool_call>!</think>",
    ]
    refused = [
        f"{CALL} Hello",
        "<tool_call>\nHello",
        "<think></think><tool_call>\nHello",
        CALL[:-3],
    ]
    allows(constraint, accepted, refused)
    opened = FORM.constraint("<think>", TOOLS, "")
    allows(opened, ["<tool_call> no </think> Hello"], ["</think><tool_call>\nHello"])


def test_one_call_at_most(allows: Allows) -> None:
    """Without parallel calls, a second one is refused, and is content if it comes."""
    single = replace(TOOLS, is_parallel=False)
    allows(FORM.constraint("", single, ""), [CALL], [f"{CALL}\n{CLOCK}"])
    found = read_every_way(f"{CALL}\n{CLOCK}", FORM, tool_use=single)
    assert (len(found.calls), found.content) == (1, CLOCK)


def test_one_tool_alone(allows: Allows) -> None:
    """Where the tool is named, no other may be called."""
    only = replace(REQUIRED, only="clock")
    allows(FORM.constraint("", only, ""), [CLOCK], [CALL])
    with pytest.raises(RequestError, match="a call of the tool piano, which is not among"):
        FORM.constraint("", replace(REQUIRED, only="piano"), "")


def test_an_answer_of_a_given_form(allows: Allows) -> None:
    """It may come after thoughts; and in its place calls, where there are tools."""
    grammar = schema_grammar({"type": "object", "properties": {"root": {"enum": ["[x]"]}}})
    answer = '{"root": "[x]"}'
    no_tools = FORM.constraint("", NO_TOOLS, grammar)
    allows(no_tools, [answer, f"{THOUGHT}{answer}"], ["Hello", CALL, THOUGHT])
    either = FORM.constraint("", TOOLS, grammar)
    allows(either, [answer, CALL, f"{THOUGHT}{CALL}"], ["Hello", f"{answer}{CALL}"])
    assert FORM.constraint("", NO_TOOLS, "") == {}


def test_a_schema_that_cannot_be_enforced(allows: Allows) -> None:
    """It is an error where a call is required; else any object will do."""
    odd = Tool("odd", parameters={"properties": {"a": {"not": {}}}})
    call = '<tool_call>{"name": "odd", "arguments": {"a": 1}}</tool_call>'
    allows(FORM.constraint("", ToolUse((odd,)), ""), [call], ["<tool_call>{}"])
    with pytest.raises(RequestError, match=r"The tool odd cannot be used\. The JSON schema"):
        FORM.constraint("", ToolUse((odd,), "required"), "")
