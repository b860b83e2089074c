"""What every format of answers has, and the format of models that write only text."""

from collections.abc import Sequence
from typing import Any, Protocol

from runtime.chat.deltas import ContentDelta, Delta
from runtime.chat.template import Message
from runtime.chat.tools import ToolUse


class OutputReader(Protocol):
    """Reads one answer as it grows; texts may be cut anywhere."""

    def feed(self, text: str) -> Sequence[Delta]:
        """Take more of the answer's text, and return what is now certain."""

    def finish(self) -> Sequence[Delta]:
        """Return what was held back, now that the text is over."""


class OutputFormat:
    """How models of one family write; this one is plain text, without reasoning or tool calls.

    Attributes:
        shown_tokens: Texts of control tokens that its reader has to see.
        describes_tools: Whether `prepare` tells of the tools that may be called, so that the
            template must not.
    """

    shown_tokens: tuple[str, ...] = ()
    describes_tools = False

    def prepare(self, messages: list[Message], tool_use: ToolUse) -> list[Message]:
        """Return a conversation as the models' template understands it.

        Args:
            messages: In OpenAI's form, whatever the template lacks.
            tool_use: The tools of the request.
        """
        return messages

    def reader(self, prompt: str, tool_use: ToolUse) -> OutputReader:
        """Return what reads one answer.

        Args:
            prompt: The rendered prompt, whose end may have begun the answer.
            tool_use: The tools of the request.
        """
        return _PlainReader()

    def constraint(self, prompt: str, tool_use: ToolUse, answer_grammar: str) -> dict[str, Any]:
        """Return what constrains the text, by field of `SamplingParams`.

        Args:
            prompt: The rendered prompt, whose end may have begun the answer.
            tool_use: The tools of the request.
            answer_grammar: What the answer itself must be, in GBNF; empty for anything.

        Raises:
            RequestError: A tool's parameters are no schema that can be satisfied, or the
                format has no tool calls and one is required.
        """
        return {"grammar": answer_grammar} if answer_grammar else {}


class _PlainReader:
    def feed(self, text: str) -> Sequence[Delta]:
        return [ContentDelta(text)] if text else []

    def finish(self) -> Sequence[Delta]:
        return []
