"""Tests of calls as bare JSON, of Llama 3 and of models that know no tools."""

import json

import pytest
from msgspec.structs import replace

from runtime.chat.formats.bare_json import GenericFormat, Llama3Format
from runtime.chat.formats.marked_format import THINK
from runtime.chat.tools import NO_TOOLS
from tests.runtime.chat.formats.grammars import Allows
from tests.runtime.chat.formats.reading import REQUIRED, TOOLS, read_every_way

LLAMA = Llama3Format()
GENERIC = GenericFormat(THINK)
WEATHER = '{"name": "get_weather", "parameters": {"city": "Köln"}}'
CLOCK = '{"name": "clock", "parameters": {}}'
CALLS = (("get_weather", '{"city": "Köln"}'), ("clock", "{}"))


@pytest.mark.parametrize(
    "text",
    [
        f"{WEATHER}; {CLOCK}",
        f"<|python_tag|>{WEATHER};{CLOCK}",
        f"{WEATHER}\n{CLOCK}",
        f"{WEATHER} {CLOCK}".replace(": ", ":"),
        f"\n{WEATHER}\n{CLOCK}".replace('{"name"', '{\n  "name"'),
    ],
)
def test_calls_of_llama(text: str) -> None:
    """With or without the control token, between semicolons or not."""
    found = read_every_way(text, LLAMA)
    assert found.content == ""
    assert [name for name, _ in found.calls] == ["get_weather", "clock"]
    assert found.arguments == [{"city": "Köln"}, {}]


def test_a_call_among_words() -> None:
    """An object that begins with a tool's name is a call wherever it stands."""
    found = read_every_way(f"I will ask.\n\n{CLOCK}\nThat is it.", LLAMA)
    assert (found.content, found.calls) == ("I will ask.That is it.", CALLS[1:])


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Anna", "age": 7}',
        '{"answer": {"name": 3}}',
        '<|python_tag|>brave_search.call(query="x")',
        '{"name": "clock", "mood": 3}',
        'Like this: {\n "name": "clock", "parameters": {}}',
        '{"name": "clock"',
        '{"na',
    ],
)
def test_other_objects_are_content(text: str) -> None:
    """JSON alone makes no call."""
    assert read_every_way(text, LLAMA).content == text


def test_grammars_of_llama(allows: Allows) -> None:
    """A call that is begun has to be one; other JSON is free."""
    wrong = ['{"name": "get_weather", "parameters": {}}', '{"name": "clock", "mood": 1}']
    accepted = [WEATHER, f"<|python_tag|>{WEATHER}", f"{WEATHER}; {CLOCK}"]
    allows(LLAMA.constraint("", REQUIRED, ""), accepted, ["Hello", *wrong])
    accepted += ["Hello", '{"name": "Anna"}', f"So: {CLOCK}"]
    allows(LLAMA.constraint("", TOOLS, ""), accepted, ["<|python_tag|>x", *wrong])
    single = replace(TOOLS, is_parallel=False)
    allows(LLAMA.constraint("", single, ""), [WEATHER], [f"{WEATHER}; {CLOCK}"])


def test_grammars_of_others(allows: Allows) -> None:
    """They say `arguments`, and may think."""
    calls = f"{WEATHER}\n{CLOCK}".replace("parameters", "arguments")
    required = GENERIC.constraint("<think>\n", REQUIRED, "")
    allows(required, [f"Hm.</think>\n\n{calls}"], [calls, f"</think>{WEATHER}"])
    allows(GENERIC.constraint("", TOOLS, ""), [f"<think>{WEATHER}</think>Hi", calls], [WEATHER])


def test_tools_are_described() -> None:
    """In the system message, which is made where there is none; not if none may be called."""
    user = {"role": "user", "content": "Hi"}
    prepared = GENERIC.prepare([{"role": "system", "content": "Be brief."}, user], TOOLS)
    assert [message["role"] for message in prepared] == ["system", "user"]
    text = prepared[0]["content"]
    assert text.startswith("Be brief.\n\nYou can use these tools")
    described = [json.loads(line) for line in text.splitlines() if line.startswith('{"name": ')]
    assert [tool["name"] for tool in described[:2]] == ["get_weather", "clock"]
    assert "each in a line" in text
    made = GENERIC.prepare([user], replace(REQUIRED, only="clock", is_parallel=False))
    assert "get_weather" not in made[0]["content"]
    assert "each in a line" not in made[0]["content"]
    assert GENERIC.prepare([user], NO_TOOLS) == [user]
