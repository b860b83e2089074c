"""Tests of the forms of Mistral's models."""

import pytest
from msgspec.structs import replace

from runtime.chat.formats.marked_format import BRACKET_THINK
from runtime.chat.formats.mistral import MistralFormat
from tests.runtime.chat.formats.grammars import Allows
from tests.runtime.chat.formats.reading import REQUIRED, TOOLS, read_every_way

LISTS = MistralFormat(names_first=False)
NAMES = MistralFormat(names_first=True, reasoning=BRACKET_THINK)
LIST = (
    '[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Köln"}, "id": "a1B2c3D4e"}, '
    '{"name": "clock", "arguments": {}, "id": "000000000"}]'
)
NAMED = '[TOOL_CALLS]get_weather[ARGS]{"city": "Köln"}[TOOL_CALLS]clock[ARGS]{}'
WITH_ID = '[TOOL_CALLS]get_weather[CALL_ID]a1B2c3D4e[ARGS]{"city": "Köln"}'
CALLS = (("get_weather", '{"city": "Köln"}'), ("clock", "{}"))


@pytest.mark.parametrize("form", [LISTS, NAMES])
def test_either_form_is_read(form: MistralFormat) -> None:
    """A list of objects, or names with their arguments."""
    for text in (LIST, NAMED, NAMED.replace("]clock", "] clock")):
        found = read_every_way(f"Let me see. {text}", form)
        assert (found.content, found.calls) == ("Let me see.", CALLS)
    assert read_every_way(WITH_ID, form).calls == CALLS[:1]


def test_a_call_tells_the_id_that_the_model_gave() -> None:
    """Where it comes before the arguments."""
    deltas = NAMES.reader("", TOOLS).feed(WITH_ID)
    assert [getattr(delta, "id", None) for delta in deltas] == ["a1B2c3D4e", ""]


def test_reasoning_in_brackets() -> None:
    """Ministral and Magistral think so."""
    found = read_every_way(f"[THINK]Hm, [brackets].[/THINK]{NAMED}", NAMES)
    assert (found.reasoning, found.calls) == ("Hm, [brackets].", CALLS)


@pytest.mark.parametrize(
    "text",
    [
        "[TOOL_CALLS]",
        "[TOOL_CALLS]piano[ARGS]{}",
        "[TOOL_CALLS]clock[ARGS]x",
        '[TOOL_CALLS] [{"name": "piano", "arguments": {}}]',
        "[TOOL_CALLS] [1]",
        f"[TOOL_CALLS]{'clock' * 100}",
        "[TOOL_CALLS]clock[ARGS]",
    ],
)
def test_what_is_no_call_is_content(text: str) -> None:
    """Not a character of it is lost."""
    assert read_every_way(text, NAMES).content == text


def test_what_comes_instead_of_another_call() -> None:
    """It is content."""
    found = read_every_way(LIST.replace('"clock"', '"piano"'), LISTS)
    assert found.calls == CALLS[:1]
    assert found.content == '{"name": "piano", "arguments": {}, "id": "000000000"}]'


def test_grammars(allows: Allows) -> None:
    """Each form has its own."""
    wrong = '[TOOL_CALLS]clock[ARGS]{"a": {}'
    refused = ["Hello", "[TOOL_CALLS]", wrong]
    allows(LISTS.constraint("", REQUIRED, ""), [LIST], [NAMED, *refused])
    accepted = [NAMED, WITH_ID, f"[THINK]Hm[/THINK]{NAMED}"]
    allows(NAMES.constraint("", REQUIRED, ""), accepted, [LIST, *refused])
    allows(NAMES.constraint("", TOOLS, ""), ["Hello", f"So {NAMED}"], [wrong, "[TOOL_CALLS]Hi"])
    single = replace(REQUIRED, is_parallel=False)
    allows(NAMES.constraint("", single, ""), [WITH_ID], [NAMED])
    allows(LISTS.constraint("", single, ""), [LIST[: LIST.index(", {")] + "]"], [LIST])
