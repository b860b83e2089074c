"""Tests of every format with texts that nobody would write."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.chat.formats.output_format import OutputFormat
from runtime.chat.tools import NO_TOOLS, ToolUse
from tests.runtime.chat.formats.forms import FORMS
from tests.runtime.chat.formats.reading import TOOLS, read

MARKERS = sorted({marker for form in FORMS for marker in form.shown_tokens})
PIECES = [
    *MARKERS,
    *("clock", "get_weather", '"name": ', '"arguments": ', '{"name": "clock"', "functools"),
    *("{", "}", "[", "]", '"', ",", ":", "\\", "\n", " ", "call:", "to=functions.", "assistant"),
    *("<function=", "<parameter=", "</parameter>", "</function>", "functions.clock:0", ">"),
    *("final", "analysis", "commentary", "thought", "function", "```json\n", "7", "é", "word"),
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
@given(text=texts, cuts=st.lists(st.integers(0, 300), max_size=20), is_open=st.booleans())
def test_any_text_is_read_the_same_in_any_pieces(
    form: OutputFormat, text: str, cuts: list[int], is_open: bool
) -> None:
    """Nothing raises, and where it is cut makes no difference."""
    prompt = "<think>" if is_open else ""
    at = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[start:end] for start, end in pairwise(at)]
    whole = read([text], form, prompt, TOOLS)
    assert read(pieces, form, prompt, TOOLS) == whole
    assert read(text, form, prompt, TOOLS) == whole


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
@pytest.mark.parametrize("tool_use", [TOOLS, NO_TOOLS])
@given(text=st.text(st.sampled_from('ab<>{}[]|":,\n \\_/é'), max_size=60))
def test_a_text_without_markers_is_content(
    form: OutputFormat, tool_use: ToolUse, text: str
) -> None:
    """Not a character of it is lost, wherever it looks like a marker's beginning."""
    assert read(text, form, "", tool_use).content == text
