"""From a conversation to a prompt, for the terminal and for every API dialect."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from runtime.chat.fitting import fitted
from runtime.chat.formats.output_format import OutputFormat, OutputReader
from runtime.chat.images import MarkedImages
from runtime.chat.options import ChatOptions
from runtime.chat.template import ChatTemplate, Message
from runtime.chat.template_choice import choose_templates
from runtime.chat.template_traits import TemplateTraits
from runtime.chat.tools import NO_TOOLS, ToolUse
from runtime.engine.image_span import Images, Prompt
from runtime.engine.model import Model
from runtime.errors import RequestError


class Conversation(msgspec.Struct, frozen=True):
    """What the model is to answer.

    Args:
        messages: In OpenAI's form, oldest first; contents are texts, or parts where there are
            images (see `image_part`), and the arguments of tool calls are objects.
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
        tokens: Its token ids, and what stands for images.
        images: Where images stand.
        make_reader: Makes what reads one answer.
        constraint: What constrains the answer, by field of `SamplingParams`.
        shown_tokens: Control tokens whose text the reader has to see.
    """

    text: str
    tokens: list[int]
    images: Images
    make_reader: Callable[[], OutputReader]
    constraint: Mapping[str, Any]
    shown_tokens: frozenset[int]


class ReadParts(Protocol):
    """Makes a prompt of texts and images."""

    def __call__(self, parts: Sequence[str | bytes], *, add_special: bool) -> Prompt:
        """Return it; see `Engine.read`."""


class ChatFormat:
    """A model's way to write a conversation as tokens.

    Args:
        model: The loaded model.
        options: What the settings say.
        read: Makes prompts of texts and images, with special tokens around them where it is told
            so; None where no conversation has images.
    """

    def __init__(
        self,
        model: Model,
        options: ChatOptions | None = None,
        read: ReadParts | None = None,
    ) -> None:
        self._model = model
        self._read_parts = read
        self._bos = model.bos_piece
        self._options = options or ChatOptions()
        self._sources = choose_templates(model, self._options.template)

    def prompt(self, conversation: Conversation) -> ChatPrompt:
        """Return what asks the model to answer a conversation.

        Raises:
            RequestError: The model's template refuses the messages, a variable's name is taken,
                or a tool or an image cannot be used.
            UnsupportedError: The model's template is not valid.
        """
        tool_use = conversation.tool_use
        writer = self._writer(tool_use)
        images = MarkedImages(conversation.messages)
        text = self._text(replace(conversation, messages=images.messages), writer)
        prompt = self._prompt(text, images)
        text = images.shown(text)
        output = writer.output_for(tool_use)
        return ChatPrompt(
            text,
            prompt.tokens,
            prompt.images,
            lambda: output.reader(text, tool_use),
            output.constraint(text, tool_use, conversation.grammar),
            frozenset(map(self._control_token, output.shown_tokens)),
        )

    def read(self, conversation: Conversation) -> Prompt:
        """Return a conversation as tokens alone; for what is wrong with it see `prompt`."""
        images = MarkedImages(conversation.messages)
        shown = replace(conversation, messages=images.messages)
        return self._prompt(self._text(shown, self._writer(conversation.tool_use)), images)

    @property
    def template(self) -> str:
        """The jinja source of the template for conversations without tools."""
        return self._plain_writer.template.source

    @property
    def can_think(self) -> bool:
        """Whether the model was made to think before it answers."""
        return self._plain_writer.traits.supports_thinking

    @property
    def knows_tools(self) -> bool:
        """Whether the model's template tells it of tools."""
        return self._tool_writer.traits.supports_tools

    def _writer(self, tool_use: ToolUse) -> "_Writer":
        return self._tool_writer if tool_use.tools else self._plain_writer

    @cached_property
    def _plain_writer(self) -> "_Writer":
        return _Writer(self._sources.plain, self._model)

    @cached_property
    def _tool_writer(self) -> "_Writer":
        if self._sources.tool_use == self._sources.plain:
            return self._plain_writer
        return _Writer(self._sources.tool_use, self._model)

    def _text(self, conversation: Conversation, writer: "_Writer") -> str:
        tool_use = conversation.tool_use
        output = writer.output_for(tool_use)
        prepared = output.prepare(self._with_system(conversation.messages), tool_use)
        messages = fitted(prepared, writer.traits)
        # As in llama-server, the model sees the tools even where it must not call one.
        tools = [tool.to_template() for tool in tool_use.tools] or None
        if output.describes_tools and tool_use.callable_tools:
            tools = None
        arguments = {**self._options.template_arguments, **conversation.template_arguments}
        if conversation.continues_last:
            return writer.template.render_unfinished(messages, tools=tools, arguments=arguments)
        return writer.template.render(
            messages,
            tools=tools,
            add_generation_prompt=conversation.add_generation_prompt,
            arguments=arguments,
        )

    def _with_system(self, messages: list[Message]) -> list[Message]:
        text = self._options.system_prompt
        if not text or any(message["role"] == "system" for message in messages):
            return messages
        return [{"role": "system", "content": text}, *messages]

    def _prompt(self, text: str, images: MarkedImages) -> Prompt:
        has_bos = bool(self._bos) and text.startswith(self._bos)
        if not images.files:
            tokens = self._model.tokenize(text, add_special=not has_bos, parse_special=True)
            return Prompt(tokens)
        if self._read_parts is None:
            raise RequestError("There are images, and text alone is taken here.")
        return self._read_parts(images.parts(text), add_special=not has_bos)

    def _control_token(self, text: str) -> int:
        return self._model.tokenize(text, add_special=False, parse_special=True)[0]


class _Writer:
    """One of a model's templates, with what it can do and how answers to it are read."""

    def __init__(self, source: str, model: Model) -> None:
        self.template = ChatTemplate(source, bos_token=model.bos_piece, eos_token=model.eos_piece)
        self.traits = TemplateTraits(self.template)

    def output_for(self, tool_use: ToolUse) -> OutputFormat:
        """Return how answers are read where these tools may be called."""
        return self._tool_output if tool_use.callable_tools else self._plain_output

    @cached_property
    def _plain_output(self) -> OutputFormat:
        return self._output(shows_tools=True)

    @cached_property
    def _tool_output(self) -> OutputFormat:
        return self._output(shows_tools=self.traits.supports_tools)

    def _output(self, *, shows_tools: bool) -> OutputFormat:
        # No start waits for the formats.
        from runtime.chat.formats.detection import output_format

        return output_format(self.template.source, shows_tools=shows_tools)
