"""The body of a chat completion request."""

from typing import Any, Literal

import msgspec

from runtime.chat.conversation import Conversation
from runtime.chat.images import image_part, text_part
from runtime.chat.template import Message
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.model import Model
from runtime.errors import RequestError
from runtime.server.dialects.openai.logprobs import num_top_logprobs
from runtime.server.fields.generation import GenerationFields
from runtime.server.fields.image import image_of_url
from runtime.server.fields.tool_use import tool_use
from runtime.server.json import Integer
from runtime.server.task import GenerationOptions


class TextPart(msgspec.Struct, tag="text"):
    """A piece of a message's text."""

    text: str


class RefusalPart(msgspec.Struct, tag="refusal"):
    """What a model once refused with; text like any other."""

    refusal: str


class ImageURL(msgspec.Struct):
    """An image in a `data:` URL; `detail` is the projector's affair."""

    url: str


class ImagePart(msgspec.Struct, tag="image_url"):
    """An image."""

    image_url: ImageURL | str

    def to_template(self) -> dict[str, Any]:
        """Return it as a part of a conversation's message.

        Raises:
            RequestError: It is no `data:` URL.
        """
        url = self.image_url if isinstance(self.image_url, str) else self.image_url.url
        return image_part(image_of_url(url))


class AudioPart(msgspec.Struct, tag="input_audio"):
    """A sound; refused, since no model here hears."""

    input_audio: Any


class FilePart(msgspec.Struct, tag="file"):
    """A file; refused: nothing here reads one."""

    file: Any


Part = TextPart | RefusalPart | ImagePart | AudioPart | FilePart


class CalledFunction(msgspec.Struct):
    """A function that was called, and with what."""

    name: str
    arguments: str | dict[str, Any] = ""

    def to_template(self) -> dict[str, Any]:
        """Return it as chat templates take it, with an object as arguments.

        Raises:
            RequestError: The arguments are no JSON object.
        """
        arguments = self.arguments
        if isinstance(arguments, str):
            try:
                arguments = msgspec.json.decode(arguments or "{}", type=dict[str, Any])
            except (msgspec.DecodeError, RecursionError) as error:
                raise RequestError(
                    f"The arguments of the call of {self.name[:100]} are no JSON object."
                ) from error
        return {"name": self.name, "arguments": arguments}


class MessageToolCall(msgspec.Struct):
    """A tool call in a past message."""

    function: CalledFunction
    id: str = ""

    def to_template(self) -> dict[str, Any]:
        """Return it as chat templates take it."""
        return {"id": self.id, "type": "function", "function": self.function.to_template()}


class ChatMessage(msgspec.Struct):
    """One message of a conversation."""

    role: str
    content: str | list[Part] | None = None
    reasoning_content: str | None = None
    tool_calls: list[MessageToolCall] | None = None
    tool_call_id: str | None = None
    name: str | None = None

    def to_template(self) -> Message:
        """Return the message as chat templates take it.

        Raises:
            RequestError: It has parts that no model here takes, or calls that are not sound.
        """
        # Templates know OpenAI's newer name for the system's role as little as models do.
        message: Message = {
            "role": "system" if self.role == "developer" else self.role,
            "content": self._content(),
        }
        if self.tool_calls:
            message["tool_calls"] = [call.to_template() for call in self.tool_calls]
        for name in ("reasoning_content", "tool_call_id", "name"):
            if value := getattr(self, name):
                message[name] = value
        return message

    def _content(self) -> str | list[dict[str, Any]]:
        if not isinstance(self.content, list):
            return self.content or ""
        if not any(isinstance(part, ImagePart) for part in self.content):
            return "".join(map(_text_of, self.content))
        return [
            part.to_template() if isinstance(part, ImagePart) else text_part(_text_of(part))
            for part in self.content
        ]


def _text_of(part: Part) -> str:
    match part:
        case TextPart(text=text) | RefusalPart(refusal=text):
            return text
        case _:
            kind = "files" if isinstance(part, FilePart) else "sounds"
            raise RequestError(f"This model takes no {kind}.", hint="Send text alone.")


class Function(msgspec.Struct):
    """A function that is offered."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class FunctionTool(msgspec.Struct):
    """A tool that is offered; OpenAI's others run on its own machines."""

    function: Function
    type: Literal["function"] = "function"

    def to_tool(self) -> Tool:
        """Return it in the form that all dialects share."""
        function = self.function
        return Tool(function.name, function.description or "", function.parameters or {})


class ChosenName(msgspec.Struct):
    """The name of a function to call."""

    name: str


class ChosenFunction(msgspec.Struct):
    """The function that has to be called."""

    function: ChosenName
    type: Literal["function"] = "function"


class StreamOptions(msgspec.Struct):
    """What a stream carries besides text."""

    include_usage: bool = False


class ChatRequest(GenerationFields, kw_only=True):
    """The body of a chat completion request; fields not named here are ignored."""

    messages: list[ChatMessage]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_completion_tokens: Integer | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | ChosenFunction | None = None
    parallel_tool_calls: bool | None = None
    logprobs: bool | None = None
    top_logprobs: Integer | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    reasoning_effort: str | None = None
    reasoning_format: Literal["none", "auto", "deepseek", "deepseek-legacy"] | None = None
    add_generation_prompt: bool = True
    continue_final_message: bool = False

    def token_limit(self) -> int | None:
        """Return how many tokens the body allows; None says nothing."""
        if self.max_completion_tokens is not None:
            return self.max_completion_tokens
        return super().token_limit()

    def chat_options(self, model: Model) -> GenerationOptions:
        """Return how to generate.

        Raises:
            RequestError: A field's value cannot be used, or two do not fit together.
        """
        return self.options(model, num_top_logprobs(self.logprobs, self.top_logprobs))

    def conversation(self) -> Conversation:
        """Return what to answer.

        Raises:
            RequestError: There is no message, or one cannot be used, or a tool cannot.
        """
        if not self.messages:
            raise RequestError("messages is empty.")
        arguments = dict(self.chat_template_kwargs or {})
        if self.reasoning_effort is not None:
            arguments.setdefault("reasoning_effort", self.reasoning_effort)
        return Conversation(
            [message.to_template() for message in self.messages],
            tool_use=self._tool_use(),
            template_arguments=arguments,
            add_generation_prompt=self.add_generation_prompt,
            continues_last=self.continue_final_message,
        )

    def _tool_use(self) -> ToolUse:
        tools = [tool.to_tool() for tool in self.tools or ()]
        is_parallel = self.parallel_tool_calls is not False
        if isinstance(self.tool_choice, ChosenFunction):
            only = self.tool_choice.function.name
            return tool_use(tools, "required", only=only, is_parallel=is_parallel)
        return tool_use(tools, self.tool_choice or "auto", is_parallel=is_parallel)
