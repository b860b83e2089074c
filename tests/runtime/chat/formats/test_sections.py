"""Tests of sections of calls, as DeepSeek and Kimi write them."""
# ruff: noqa: RUF001 - DeepSeek writes its control tokens with such bars.

import pytest
from msgspec.structs import replace

from runtime.chat.formats.marked_format import THINK
from runtime.chat.formats.sections import DeepSeekFormat, KimiFormat, SectionFormat
from tests.runtime.chat.formats.grammars import Allows
from tests.runtime.chat.formats.reading import REQUIRED, TOOLS, read_every_way

R1 = DeepSeekFormat(is_fenced=True, reasoning=THINK)
V31 = DeepSeekFormat(is_fenced=False, reasoning=THINK)
K2 = KimiFormat(THINK)
FENCED = (
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n"
    '{"city": "Köln"}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>clock\n'
    "```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
)
PLAIN = (
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Köln"}'
    "<｜tool▁call▁end｜><｜tool▁call▁begin｜>clock<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
)
KIMI = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0"
    '<|tool_call_argument_begin|>{"city": "Köln"}<|tool_call_end|><|tool_call_begin|>'
    "functions.clock:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>"
)
CALLS = (("get_weather", '{"city": "Köln"}'), ("clock", "{}"))
FORMS = [(R1, FENCED), (V31, PLAIN), (K2, KIMI)]


@pytest.mark.parametrize(("form", "calls"), [*FORMS, (R1, PLAIN), (V31, FENCED)])
def test_a_section_after_thoughts(form: SectionFormat, calls: str) -> None:
    """DeepSeek's two forms are read alike."""
    found = read_every_way(f"Hm.\n</think>\n\nI ask.\n{calls}", form, "<｜Assistant｜><think>\n")
    assert (found.reasoning, found.content, found.calls) == ("Hm.", "I ask.", CALLS)


@pytest.mark.parametrize(("form", "calls"), FORMS)
def test_an_unknown_tool(form: SectionFormat, calls: str) -> None:
    """A call of it is content, and the one before it is none."""
    unknown = calls.replace("clock", "piano")
    found = read_every_way(unknown, form)
    assert found.calls == CALLS[:1]
    assert unknown.endswith(found.content)
    assert "piano" in found.content
    assert read_every_way(unknown.replace("get_weather", "x"), form).content.startswith("<")


@pytest.mark.parametrize(("form", "calls"), FORMS)
def test_grammars(allows: Allows, form: SectionFormat, calls: str) -> None:
    """The same text that is read is allowed."""
    wrong = [calls.replace("city", "town"), calls.replace("{}", "[]"), calls[:-1]]
    required = form.constraint("", REQUIRED, "")
    allows(required, [calls, f"<think>\n</think>\n\n{calls}"], ["Hello", *wrong])
    allows(form.constraint("", TOOLS, ""), ["Hello", f"So: {calls}"], wrong)
    allows(form.constraint("", replace(TOOLS, is_parallel=False), ""), [], [calls])


def test_the_id_of_a_call() -> None:
    """Kimi's models name their calls themselves."""
    first, *_ = K2.reader("", TOOLS).feed(KIMI)
    assert getattr(first, "id", None) == "functions.get_weather:0"


def test_a_template_without_tools() -> None:
    """Then the system message tells of them, and in which form they are called."""
    user = {"role": "user", "content": "Hi"}
    assert V31.prepare([user], TOOLS) == [user]
    form = DeepSeekFormat(is_fenced=False, describes_tools=True)
    system, last = form.prepare([user], TOOLS)
    assert (system["role"], last) == ("system", user)
    assert "get_weather" in system["content"]
    call = next(line for line in system["content"].splitlines() if line.startswith("<"))
    assert read_every_way(call.replace("the_name", "clock"), form).calls == (
        ("clock", '{"an_argument": "its value"}'),
    )
