"""From a conversation to a prompt, for the terminal and for every API dialect."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from runtime.chat.formats.detection import output_format
from runtime.chat.formats.output_format import OutputReader
from runtime.chat.template import ChatTemplate, Message
from runtime.chat.tools import NO_TOOLS, ToolUse
from runtime.engine.model import Model


class Conversation(msgspec.Struct, frozen=True):
    """What the model is to answer.

    Args:
        messages: In OpenAI's form, oldest first; contents are texts, and the arguments of tool
            calls are objects.
        tool_use: The tools it may call.
        grammar: What the answer must be, in GBNF; empty for anything.
        template_arguments: More variables for the chat template, such as `enable_thinking`.
        add_generation_prompt: End the prompt with what begins the assistant's answer.
        continues_last: Go on with the last message instead of answering it.
    """

    messages: list[Message]
    tool_use: ToolUse = NO_TOOLS
    grammar: str = ""
    template_arguments: Mapping[str, Any] = {}
    add_generation_prompt: bool = True
    continues_last: bool = False


class ChatPrompt(msgspec.Struct, frozen=True):
    """A conversation as the model reads it, and how its answer is read.

    Args:
        text: The rendered prompt.
        tokens: Its token ids.
        make_reader: Makes what reads one answer.
        constraint: What constrains the answer, by field of `SamplingParams`.
        shown_tokens: Control tokens whose text the reader has to see.
    """

    text: str
    tokens: list[int]
    make_reader: Callable[[], OutputReader]
    constraint: Mapping[str, Any]
    shown_tokens: frozenset[int]


class ChatFormat:
    """A model's way to write a conversation as tokens.

    Args:
        model: The loaded model.
        system_prompt: The system message of conversations that bring none; may be empty.
    """

    def __init__(self, model: Model, system_prompt: str = "") -> None:
        self._model = model
        self._bos = model.bos_piece
        self._system_prompt = system_prompt
        self._template = ChatTemplate(
            model.chat_template, bos_token=self._bos, eos_token=model.eos_piece
        )
        self._output = output_format(self._template.source)

    def prompt(self, conversation: Conversation) -> ChatPrompt:
        """Return what asks the model to answer a conversation.

        Raises:
            RequestError: The model's template refuses the messages, or a tool cannot be used.
        """
        text = self._template.render(
            self._with_system(conversation.messages),
            add_generation_prompt=conversation.add_generation_prompt,
        )
        tool_use = conversation.tool_use
        return ChatPrompt(
            text,
            self._tokens(text),
            lambda: self._output.reader(text, tool_use),
            self._output.constraint(text, tool_use, conversation.grammar),
            frozenset(map(self._control_token, self._output.shown_tokens)),
        )

    def _with_system(self, messages: list[Message]) -> list[Message]:
        if not self._system_prompt or any(message["role"] == "system" for message in messages):
            return messages
        return [{"role": "system", "content": self._system_prompt}, *messages]

    def _tokens(self, text: str) -> list[int]:
        has_bos = bool(self._bos) and text.startswith(self._bos)
        return self._model.tokenize(text, add_special=not has_bos, parse_special=True)

    def _control_token(self, text: str) -> int:
        return self._model.tokenize(text, add_special=False, parse_special=True)[0]
