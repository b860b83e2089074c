"""gpt-oss, whose answers are messages in channels (harmony)."""

import re
from collections.abc import Callable
from typing import Any

from runtime.chat.deltas import ContentDelta, Delta, ReasoningDelta
from runtime.chat.formats.call_grammar import CallGrammar
from runtime.chat.formats.calls import Calls
from runtime.chat.formats.json_script import pass_on_object
from runtime.chat.formats.marked_format import check_tools
from runtime.chat.formats.output_format import OutputFormat, OutputReader
from runtime.chat.formats.script import Script, ScriptReader, Text
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.sampling.json_grammar import literal
from runtime.engine.sampling.trigger import GrammarTrigger

_CHANNEL = "<|channel|>"
_MESSAGE = "<|message|>"
_START = "<|start|>"
_ASSISTANT = "<|start|>assistant"
_ENDS = ("<|end|>", "<|call|>", "<|return|>")
_TOOL = " to=functions."

# Analysis may mention a recipient; it cannot write these tokens.
_TRIGGERS = (
    f"{_CHANNEL}commentary{_TOOL}",
    f"{_CHANNEL}analysis{_TOOL}",
    f"{_ASSISTANT}{_TOOL}",
)

_CHANNEL_NAME = re.compile(r"<\|channel\|>\s*(\w+)")
_RECIPIENT = re.compile(r"\bto=([^\s<]+)")
_ANALYSIS = f"{_CHANNEL}analysis{_MESSAGE}"
_JSON = '( " "? "<|constrain|>"? "json" )?'


class GptOssFormat(OutputFormat):
    """Channel `analysis` is reasoning, what goes to a function is a call, the rest is content."""

    shown_tokens = (_CHANNEL, _MESSAGE, "<|start|>", "<|end|>", "<|constrain|>")

    def reader(self, prompt: str, tool_use: ToolUse) -> OutputReader:
        """Return what reads one answer."""
        return ScriptReader(lambda text: _read(text, Calls(tool_use)))

    def constraint(self, prompt: str, tool_use: ToolUse, answer_grammar: str) -> dict[str, Any]:
        """Return what constrains the text, by field of `SamplingParams`."""
        check_tools(tool_use)
        tools = tool_use.callable_tools
        if not tools and not answer_grammar:
            return {}
        grammar = CallGrammar(is_strict=tool_use.is_required)
        call = grammar.any_tool(tools, lambda tool: _call(grammar, tool)) if tools else ""
        if tools and not tool_use.is_required and not answer_grammar:
            beginnings = " | ".join(map(literal, _TRIGGERS))
            return {
                "grammar": grammar.text(f"( {beginnings} ) {call}"),
                "grammar_lazy": True,
                "grammar_triggers": tuple(map(GrammarTrigger, _TRIGGERS)),
            }
        thought = f"{literal(_ANALYSIS)} {grammar.until('<|end|>')} {literal(_ASSISTANT)}"
        ways = []
        if tools:
            ways.append(f"( {literal(_TRIGGERS[0])} | {literal(_TOOL)} ) {call}")
        if answer_grammar and not tool_use.is_required:
            head = f"{literal(f'{_CHANNEL}final')} {_JSON} {literal(_MESSAGE)}"
            ways.append(f"{head} {grammar.other(answer_grammar)}")
        return {"grammar": grammar.text(f"( {thought} )* ( {' | '.join(ways)} )")}


def _call(grammar: CallGrammar, tool: Tool) -> str:
    """Return the expression of a call from the tool's name on."""
    channel = f"( {literal(f'{_CHANNEL}commentary')} )?"
    return f"{literal(tool.name)} {channel} {_JSON} {literal(_MESSAGE)} {grammar.arguments(tool)}"


def _read(text: Text, calls: Calls) -> Script[None]:
    while True:
        if not (yield from text.accept(_ASSISTANT)) and (yield from text.accept(_START)):
            yield ContentDelta(_START)
        yield from _read_message(text, calls)
        for end in _ENDS:
            yield from text.accept(end)
        if not text.rest and not (yield from text.more()):
            return


def _read_message(text: Text, calls: Calls) -> Script[None]:
    start = text.at
    header = None
    if (yield from _begins_header(text)):
        header = yield from text.read_until(_MESSAGE)
    if header is None:
        text.at = start
        yield from _pass_on(text, ContentDelta)
        return
    recipient = _RECIPIENT.search(header)
    names = _CHANNEL_NAME.findall(header)
    if recipient and recipient[1] != "assistant":
        yield from _read_call(text, calls, recipient[1], start)
    elif names and names[-1] == "analysis":
        yield from _pass_on(text, ReasoningDelta)
    else:
        yield from _pass_on(text, ContentDelta)


def _begins_header(text: Text) -> Script[bool]:
    for beginning in (_CHANNEL, " to=", _MESSAGE):
        if (yield from text.accept(beginning)):
            text.at -= len(beginning)
            return True
    return False


def _read_call(text: Text, calls: Calls, recipient: str, start: int) -> Script[None]:
    """Read a call's arguments; if there is none, all from `start` on is content."""
    name = recipient.removeprefix("functions.")
    yield from text.skip_space()
    if calls.allows(name) and text.rest.startswith("{"):
        yield calls.begin(name)
        yield from pass_on_object(text, calls.more)
        yield from text.skip_space()
    else:
        text.at = start
        yield from _pass_on(text, ContentDelta)


def _pass_on(text: Text, delta: Callable[[str], Delta]) -> Script[None]:
    yield from text.pass_on((*_ENDS, _START), delta)
    yield from text.skip_space()
