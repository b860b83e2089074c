"""Tests of gpt-oss's channels."""

import pytest
from msgspec.structs import replace

from runtime.chat.formats.gpt_oss import GptOssFormat
from runtime.chat.tools import NO_TOOLS
from runtime.engine.sampling.json_schema import schema_grammar
from tests.runtime.chat.formats.grammars import Allows
from tests.runtime.chat.formats.reading import REQUIRED, TOOLS, read_every_way

FORM = GptOssFormat()
THOUGHT = (
    "<|channel|>analysis<|message|>The user wants to=functions.clock.<|end|><|start|>assistant"
)
ARGUMENTS = '{"city": "Köln"}'
CALL = f"<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{ARGUMENTS}"
ROLE = f" to=functions.get_weather<|channel|>commentary json<|message|>{ARGUMENTS}"
FINAL = "<|channel|>final<|message|>Hello <b>"


@pytest.mark.parametrize("end", ["", "<|return|>"])
def test_thoughts_and_an_answer(end: str) -> None:
    """Analysis is reasoning, the final message content."""
    found = read_every_way(THOUGHT + FINAL + end, FORM)
    assert found.reasoning == "The user wants to=functions.clock."
    assert (found.content, found.calls) == ("Hello <b>", ())


@pytest.mark.parametrize("call", [CALL, ROLE, CALL.replace("commentary", "analysis")])
@pytest.mark.parametrize("thought", ["", THOUGHT])
def test_a_call(thought: str, call: str) -> None:
    """The recipient may stand in either part of the header."""
    found = read_every_way(f"{thought}{call}<|call|>", FORM)
    assert (found.content, found.calls) == ("", (("get_weather", ARGUMENTS),))


def test_words_before_a_call() -> None:
    """Commentary to nobody is content."""
    preamble = "<|channel|>commentary<|message|>I look it up.<|end|><|start|>assistant"
    found = read_every_way(f"{THOUGHT}{preamble}{CALL}", FORM)
    assert (found.content, len(found.calls)) == ("I look it up.", 1)


def test_a_stray_channel() -> None:
    """Of two channels in a header the last one counts."""
    found = read_every_way(f"<|channel|>commentary{THOUGHT}{FINAL}", FORM)
    assert (found.reasoning[:8], found.content) == ("The user", "Hello <b>")


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "<|channel|>final",
        " to=functions.piano<|message|>{}",
        "<|channel|>commentary to=python<|message|>print(1)",
        "<|channel|>commentary to=functions.clock<|message|>soon",
        "<|start|>user",
    ],
)
def test_what_is_no_message_is_content(text: str) -> None:
    """Not a character of it is lost."""
    assert read_every_way(text, FORM).content == text


def test_grammars(allows: Allows) -> None:
    """A required call comes after any thoughts; a free one is held to its form."""
    wrong = [CALL.replace("city", "town"), CALL.replace("get_weather", "x"), CALL[:-1]]
    accepted = [CALL, ROLE, THOUGHT + CALL, THOUGHT + THOUGHT + ROLE]
    allows(FORM.constraint("", REQUIRED, ""), accepted, [FINAL, THOUGHT, *wrong])
    free = [CALL, FINAL, THOUGHT + FINAL, f"{THOUGHT}{CALL}"]
    allows(FORM.constraint("", TOOLS, ""), free, [*wrong, THOUGHT + wrong[0], THOUGHT + wrong[2]])
    clock = replace(REQUIRED, only="clock")
    allows(FORM.constraint("", clock, ""), [], [CALL])


def test_an_answer_of_a_given_form(allows: Allows) -> None:
    """It applies to the final message."""
    answer = "<|channel|>final<|message|>"
    grammar = schema_grammar({"enum": [1]})
    constraint = FORM.constraint("", NO_TOOLS, grammar)
    allows(constraint, [f"{answer}1", f"{THOUGHT}{answer}1"], [FINAL, "1", CALL])
    allows(FORM.constraint("", TOOLS, grammar), [CALL, f"{answer}1"], [FINAL])
    assert FORM.constraint("", NO_TOOLS, "") == {}
