"""Tests that what a model may write under a format's constraint is what the format reads."""

import json

import pytest
from msgspec.structs import replace

from runtime.chat.conversation import ChatFormat, Conversation
from runtime.chat.formats.output_format import OutputFormat
from runtime.chat.template import Message
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.engine import Engine
from tests.runtime.chat.formats.forms import FORMS
from tests.runtime.chat.formats.reading import read
from tests.runtime.engine.asking import submit

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"enum": ["Köln", "Bonn"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 7},
        "wind": {"type": "boolean"},
    },
    "required": ["city", "days"],
}
TOOLS = ToolUse((Tool("get_weather", "Tells the weather.", PARAMETERS), Tool("clock")), "required")
ONE = replace(TOOLS, only="get_weather", is_parallel=False)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
def test_a_required_call_is_written_and_read(engine: Engine, form: OutputFormat) -> None:
    """Even a model that never saw the format writes one call by its schema."""
    # As if it had thought already: so small a model might never come to an end.
    reasoning = getattr(form, "reasoning", None)
    prompt = f"The weather in Bonn?{reasoning.end if reasoning else ''}"
    constraint = form.constraint(prompt, ONE, "")
    asked = submit(
        engine, prompt, max_tokens=200, temperature=1.0, seed=1, min_p=0.01, **constraint
    )
    pieces = [delta.text for delta in asked.deltas()]
    found = read(pieces, form, prompt, ONE)
    assert asked.finished.reason == "stop", pieces
    assert (found.content, found.reasoning) == ("", "")
    ((name, text),) = found.calls
    arguments = json.loads(text)
    assert name == "get_weather"
    assert arguments["city"] in ("Köln", "Bonn")
    assert {"city", "days"} <= arguments.keys() <= {"city", "days", "wind"}
    assert isinstance(arguments["days"], int)


@pytest.mark.parametrize("choice", ["required", "auto"])
def test_a_model_that_knows_no_tools(engine: Engine, choice: str) -> None:
    """It is told of them, and of earlier calls and results in words."""
    call = {"id": "1", "type": "function", "function": {"name": "clock", "arguments": {}}}
    messages: list[Message] = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "12:00"},
        {"role": "assistant", "content": "It is noon."},
        {"role": "user", "content": "What is the weather in Bonn?"},
    ]
    use = replace(TOOLS, choice=choice)
    prompt = ChatFormat(engine.model).prompt(Conversation(messages, tool_use=use))
    assert prompt.text.count('"description": "Tells the weather."') == 1
    assert '{"name": "clock", "arguments": {}}' in prompt.text
    assert "12:00" in prompt.text
    asked = submit(engine, prompt.text, max_tokens=60, temperature=0, **prompt.constraint)
    reader = prompt.make_reader()
    deltas = [*reader.feed(asked.text()), *reader.finish()]
    if choice == "required":
        assert getattr(deltas[0], "name", "") in ("get_weather", "clock")
