"""The input of a response: a text or items, which become the messages of a conversation."""

from typing import Any, Literal

import msgspec

from runtime.chat.images import image_part, text_part
from runtime.chat.template import Message
from runtime.errors import RequestError
from runtime.server.dialects.openai.chat_request import CalledFunction, MessageToolCall
from runtime.server.fields.image import image_of_url


class InputText(msgspec.Struct, tag="input_text"):
    """A piece of a message's text."""

    text: str


class OutputText(msgspec.Struct, tag="output_text"):
    """A piece of what a model once answered."""

    text: str


class Refusal(msgspec.Struct, tag="refusal"):
    """What a model once refused with; text like any other."""

    refusal: str


class InputImage(msgspec.Struct, tag="input_image"):
    """An image in a `data:` URL; there are no files to name one of."""

    image_url: str | None = None

    def to_template(self) -> dict[str, Any]:
        """Return it as a part of a conversation's message.

        Raises:
            RequestError: There is no URL, or no `data:` URL.
        """
        if self.image_url is None:
            raise RequestError("An input_image has no image_url.")
        return image_part(image_of_url(self.image_url))


class InputAudio(msgspec.Struct, tag="input_audio"):
    """A sound; refused, since no model here hears."""


class InputFile(msgspec.Struct, tag="input_file"):
    """A file; refused: nothing here reads one."""


Part = InputText | OutputText | Refusal | InputImage | InputAudio | InputFile


class MessageItem(msgspec.Struct, tag="message"):
    """A message."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Part]


class CallItem(msgspec.Struct, tag="function_call"):
    """A tool call in a past answer."""

    call_id: str
    name: str
    arguments: str = ""


class CallOutputItem(msgspec.Struct, tag="function_call_output"):
    """What a tool call came to."""

    call_id: str
    output: str | list[Part]


class ReasoningText(msgspec.Struct):
    """A piece of what a model once thought."""

    text: str


class ReasoningItem(msgspec.Struct, tag="reasoning"):
    """What a model thought before a past answer; one that is encrypted says nothing here."""

    content: list[ReasoningText] | None = None


Item = MessageItem | CallItem | CallOutputItem | ReasoningItem

_KINDS: dict[str, type[Item]] = {
    "message": MessageItem,
    "function_call": CallItem,
    "function_call_output": CallOutputItem,
    "reasoning": ReasoningItem,
}


def input_messages(content: str | list[dict[str, Any]], instructions: str | None) -> list[Message]:
    """Return the messages that an input and its instructions stand for.

    The items of one answer (its reasoning, its text and its calls) become one message.

    Raises:
        RequestError: An item is of another kind or shape, or is not text.
    """
    messages: list[Message] = []
    if instructions:
        messages.append({"role": "system", "content": instructions})
    if isinstance(content, str):
        content = [{"role": "user", "content": content}]
    for index, item in enumerate(content):
        _add(messages, _read(item, index))
    return messages


def _read(item: dict[str, Any], index: int) -> Item:
    kind = item.get("type", "message")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise RequestError(
            f"input[{index}] has the type {str(kind)[:50]}, which is not taken here.",
            hint=f"The types are {', '.join(sorted(_KINDS))}.",
        )
    try:
        return msgspec.convert(item, _KINDS[kind])
    except msgspec.ValidationError as error:
        raise RequestError(f"input[{index}] is not as it should be: {error}.") from error


def _add(messages: list[Message], item: Item) -> None:
    match item:
        case MessageItem("assistant", content):
            _assistant(messages)["content"] += _text(content)
        case MessageItem("user", content):
            messages.append({"role": "user", "content": _content(content)})
        case MessageItem(_, content):
            _add_system(messages, _text(content))
        case CallItem(call_id, name, arguments):
            call = MessageToolCall(CalledFunction(name, arguments), call_id)
            _assistant(messages).setdefault("tool_calls", []).append(call.to_template())
        case CallOutputItem(call_id, output):
            messages.append({"role": "tool", "tool_call_id": call_id, "content": _text(output)})
        case ReasoningItem(content) if content:
            message = _assistant(messages)
            text = "".join(piece.text for piece in content)
            message["reasoning_content"] = message.get("reasoning_content", "") + text


def _assistant(messages: list[Message]) -> Message:
    """Return the message of the answer that an item is part of."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": ""})
    return messages[-1]


def _add_system(messages: list[Message], text: str) -> None:
    # Many templates take one system message only, and there are the instructions, too.
    if messages and messages[-1]["role"] == "system":
        messages[-1]["content"] += f"\n\n{text}"
    else:
        messages.append({"role": "system", "content": text})


def _content(content: str | list[Part]) -> str | list[dict[str, Any]]:
    """Return what a user says: a text, or parts where there are images."""
    if isinstance(content, str) or not any(isinstance(part, InputImage) for part in content):
        return _text(content)
    return [
        part.to_template() if isinstance(part, InputImage) else text_part(_text_of(part))
        for part in content
    ]


def _text(content: str | list[Part]) -> str:
    return content if isinstance(content, str) else "".join(map(_text_of, content))


def _text_of(part: Part) -> str:
    match part:
        case InputText(text) | OutputText(text) | Refusal(text):
            return text
        case _:
            kinds = {InputImage: "images but a user's", InputAudio: "sounds", InputFile: "files"}
            raise RequestError(f"This model takes no {kinds[type(part)]}.", hint="Send text.")
