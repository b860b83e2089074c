"""Tests of JSON lists behind a marker, as Granite 3, Phi-4-mini and Nemotron write them."""

import json

import pytest
from msgspec.structs import replace

from runtime.chat.formats.listed import ListedFormat, PhiFormat
from runtime.chat.formats.marked_format import THINK
from runtime.chat.template import Message
from runtime.chat.tools import NO_TOOLS
from tests.runtime.chat.formats.grammars import Allows
from tests.runtime.chat.formats.reading import REQUIRED, TOOLS, read_every_way

GRANITE = ListedFormat("<|tool_call|>", "", THINK)
NEMOTRON = ListedFormat("<TOOLCALL>", "</TOOLCALL>", THINK)
PHI = PhiFormat()
LIST = (
    '[{"name": "get_weather", "arguments": {"city": "Köln"}}, {"name": "clock", "arguments": {}}]'
)
CALLS = (("get_weather", '{"city": "Köln"}'), ("clock", "{}"))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (GRANITE, f"<|tool_call|>{LIST}"),
        (GRANITE, f"<|tool_call|> {LIST}"),
        (NEMOTRON, f"<TOOLCALL>{LIST}</TOOLCALL>"),
        (PHI, f"<|tool_call|>{LIST}<|/tool_call|>"),
        (PHI, f"<|tool_call|>{LIST}"),
        (PHI, f"functools{LIST}".replace("arguments", "parameters")),
    ],
)
def test_a_list_of_calls(form: ListedFormat, text: str) -> None:
    """What ends it may be missing."""
    found = read_every_way(f"I see.\n{text}", form)
    assert (found.content, found.calls) == ("I see.", CALLS)


@pytest.mark.parametrize(
    "text", ["import functools\n", "<|tool_call|>[]", "<|tool_call|>Hi", "fun"]
)
def test_what_is_no_list_is_content(text: str) -> None:
    """Not a character of it is lost."""
    assert read_every_way(text, PHI).content == text


def test_a_call_without_a_list() -> None:
    """It is understood, too."""
    found = read_every_way(f"<|tool_call|>{LIST[1 : LIST.index(', {')]}", GRANITE)
    assert found.calls == CALLS[:1]


def test_grammars(allows: Allows) -> None:
    """A list of calls, with its end where there is one."""
    wrong = f"<TOOLCALL>{LIST.replace('city', 'town')}</TOOLCALL>"
    accepted = [f"<TOOLCALL>{LIST}</TOOLCALL>", f"<think></think>\n<TOOLCALL>{LIST}</TOOLCALL>"]
    refused = [wrong, f"<TOOLCALL>{LIST}", LIST, "<TOOLCALL>[]</TOOLCALL>"]
    allows(NEMOTRON.constraint("", REQUIRED, ""), accepted, refused)
    allows(PHI.constraint("", TOOLS, ""), ["import functools", "Hi"], ["<|tool_call|>Hi"])
    single = replace(TOOLS, is_parallel=False)
    allows(GRANITE.constraint("", single, ""), [], [f"<|tool_call|>{LIST}"])


def test_what_phi_is_told() -> None:
    """Tools stand in the system message, calls and results are texts."""
    call = {"function": {"name": "clock", "arguments": {}}}
    messages: list[Message] = [
        {"role": "user", "content": "Time?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "12:00"},
    ]
    system, *others = PHI.prepare(messages, TOOLS)
    assert [tool["name"] for tool in json.loads(system["tools"])] == ["get_weather", "clock"]
    assert [message["role"] for message in others] == ["user", "assistant", "tool_response"]
    assert others[1]["content"] == (
        '<|tool_call|>[{"name": "clock", "arguments": {}}]<|/tool_call|>'
    )
    assert "tools" not in PHI.prepare([{"role": "system", "content": "Hi"}], NO_TOOLS)[0]
