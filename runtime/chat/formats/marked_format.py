"""Formats whose reasoning stands between two markers, and whose calls begin with one."""

from abc import abstractmethod
from typing import Any

import msgspec

from runtime.chat.deltas import ContentDelta, ReasoningDelta
from runtime.chat.formats.call_grammar import GAP, CallGrammar
from runtime.chat.formats.calls import Calls
from runtime.chat.formats.output_format import OutputFormat, OutputReader
from runtime.chat.formats.script import Script, ScriptReader, Text
from runtime.chat.tools import ToolUse
from runtime.engine.sampling.json_grammar import literal
from runtime.engine.sampling.trigger import GrammarTrigger, TriggerPause
from runtime.errors import RequestError


class Markers(msgspec.Struct, frozen=True):
    """What stands before and behind a part of an answer."""

    begin: str
    end: str


THINK = Markers("<think>", "</think>")
BRACKET_THINK = Markers("[THINK]", "[/THINK]")


class MarkedFormat(OutputFormat):
    """Reasoning first, if any; then content; then calls, each begun by a marker.

    Args:
        reasoning: What stands around reasoning; None for models that do not reason.

    Attributes:
        call_markers: What begins a call, the usual one first; none of them begins another.
        control_texts: Texts of other control tokens in calls.
        reasons_again: Whether there may be reasoning behind content and calls, too.
    """

    call_markers: tuple[str, ...] = ()
    control_texts: tuple[str, ...] = ()
    reasons_again = False

    def __init__(self, reasoning: Markers | None = None) -> None:
        self.reasoning = reasoning
        around = (reasoning.begin, reasoning.end) if reasoning else ()
        self.shown_tokens = (*around, *self.call_markers, *self.control_texts)

    @abstractmethod
    def read_calls(self, text: Text, marker: str, calls: Calls) -> Script[bool]:
        """Read what follows a marker; return whether it was a call.

        Nothing may be yielded before it is sure to be one.
        """

    def read_beginning(self, text: Text, calls: Calls) -> Script[bool]:
        """Read calls without a marker where the answer begins, as `read_calls` does."""
        yield from ()
        return False

    @abstractmethod
    def call_expression(self, grammar: CallGrammar, tool_use: ToolUse) -> str:
        """Return the expression of all calls of an answer, with their markers."""

    def markers(self, tool_use: ToolUse) -> tuple[str, ...]:
        """Return what begins a call of the tools."""
        return self.call_markers if tool_use.callable_tools else ()

    def triggers(self, tool_use: ToolUse) -> tuple[str, ...]:
        """Return which of the markers are so rare in content that a call has to follow."""
        return self.call_markers[:1]

    def reader(self, prompt: str, tool_use: ToolUse) -> OutputReader:
        """Return what reads one answer."""
        is_open = self._opens_reasoning(prompt)
        return ScriptReader(lambda text: self._read(text, tool_use, is_open=is_open))

    def constraint(self, prompt: str, tool_use: ToolUse, answer_grammar: str) -> dict[str, Any]:
        """Return what constrains the text, by field of `SamplingParams`."""
        check_tools(tool_use)
        tools = tool_use.callable_tools
        if tools and not tool_use.is_required and not answer_grammar:
            return self._lazy(prompt, tool_use)
        if not tools and (not answer_grammar or not self._may_reason(prompt)):
            return {"grammar": answer_grammar} if answer_grammar else {}
        grammar = CallGrammar(is_strict=tool_use.is_required)
        ways = []
        if answer_grammar and not tool_use.is_required:
            ways.append(grammar.other(answer_grammar))
        if tools:
            ways.append(self.call_expression(grammar, tool_use))
        root = f"{self._reasoning_expression(grammar, prompt)} ( {' | '.join(ways)} )"
        return {"grammar": grammar.text(root)}

    def _lazy(self, prompt: str, tool_use: ToolUse) -> dict[str, Any]:
        grammar = CallGrammar(is_strict=False)
        pause = None
        if self.reasoning and self._may_reason(prompt):
            begin = "" if self._opens_reasoning(prompt) else self.reasoning.begin
            pause = TriggerPause(begin, self.reasoning.end)
        return {
            "grammar": grammar.text(self.call_expression(grammar, tool_use)),
            "grammar_lazy": True,
            "grammar_triggers": tuple(map(GrammarTrigger, self.triggers(tool_use))),
            "grammar_pause": pause,
        }

    def _reasoning_expression(self, grammar: CallGrammar, prompt: str) -> str:
        if not self.reasoning or not self._may_reason(prompt):
            return ""
        behind = f"{grammar.until(self.reasoning.end)} {GAP}"
        if self._opens_reasoning(prompt):
            return behind
        return f"( {literal(self.reasoning.begin)} {behind} )?"

    def _opens_reasoning(self, prompt: str) -> bool:
        return self.reasoning is not None and prompt.rstrip().endswith(self.reasoning.begin)

    def _may_reason(self, prompt: str) -> bool:
        return self.reasoning is not None and not prompt.rstrip().endswith(self.reasoning.end)

    def _read(self, text: Text, tool_use: ToolUse, *, is_open: bool) -> Script[None]:
        calls = Calls(tool_use)
        if self.reasoning:
            yield from _read_reasoning(text, self.reasoning, is_open=is_open)
        start = text.at
        if tool_use.callable_tools and (yield from self.read_beginning(text, calls)):
            yield from text.skip_space()
        else:
            text.at = start
        again = (self.reasoning.begin,) if self.reasoning and self.reasons_again else ()
        markers = (*self.markers(tool_use), *again)
        while marker := (yield from text.pass_on(markers, ContentDelta)):
            if self.reasoning and marker in again:
                yield from _read_reasoning(text, self.reasoning, is_open=True)
                continue
            start = text.at
            yield from text.skip_space()
            yield from text.accept(marker)
            behind = text.at
            if (yield from self.read_calls(text, marker, calls)):
                yield from text.skip_space()
            else:
                text.at = start
                yield ContentDelta(text.take(behind - start))


def check_tools(tool_use: ToolUse) -> None:
    """Check that a call that is required is possible.

    Raises:
        RequestError: It is not.
    """
    if tool_use.is_required and not tool_use.callable_tools:
        wanted = f"the tool {tool_use.only}" if tool_use.only else "a tool"
        raise RequestError(f"tool_choice demands a call of {wanted}, which is not among the tools.")


def _read_reasoning(text: Text, markers: Markers, *, is_open: bool) -> Script[None]:
    start = text.at
    yield from text.skip_space()
    # Some models write the marker although the prompt ends with it.
    is_begun = yield from text.accept(markers.begin)
    if not is_begun and not is_open:
        text.at = start
        return
    yield from text.skip_space()
    if (yield from text.pass_on([markers.end], ReasoningDelta)):
        yield from text.skip_space()
        yield from text.accept(markers.end)
        yield from text.skip_space()
