"""The images of a conversation, for which marks stand while it is written as text."""

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from runtime.chat.template import Message
from runtime.errors import RequestError

# Each one is decoded and scaled before it is known whether they fit into the context.
MAX_IMAGES = 16
# What llama-server shows in their place.
_SHOWN = "<__media__>"


def image_part(data: bytes) -> dict[str, Any]:
    """Return a part of a message's content that is an image's file."""
    return {"type": "image", "data": data}


def text_part(text: str) -> dict[str, Any]:
    """Return a part of a message's content that is text."""
    return {"type": "text", "text": text}


Content = str | list[dict[str, Any]]


def one_below_the_other(contents: Iterable[Content]) -> Content:
    """Return contents as one, each in a new line; a text where there are no images."""
    told = [content for content in contents if content]
    texts = [content for content in told if isinstance(content, str)]
    if len(texts) == len(told):
        return "\n".join(texts)
    parts: list[dict[str, Any]] = []
    for content in told:
        if parts:
            parts.append(text_part("\n"))
        parts += [text_part(content)] if isinstance(content, str) else content
    return parts


class MarkedImages:
    """A conversation's messages with marks for images, which nobody can guess and write himself.

    Attributes:
        messages: The messages; contents with images are texts with marks.
        files: The images' files, in order.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        self._secret = os.urandom(16).hex()
        self.files: list[bytes] = []
        self.messages = [self._marked(message) for message in messages]
        if len(self.files) > MAX_IMAGES:
            raise RequestError(
                f"There are {len(self.files)} images, and no more than {MAX_IMAGES} are taken."
            )

    def parts(self, text: str) -> list[str | bytes]:
        """Return a rendered text with the images where their marks stand.

        Raises:
            RequestError: The template did not write all of them.
        """
        pieces = re.split(f"{self._secret}n([0-9]+)e", text)
        numbers = pieces[1::2]
        if set(map(int, numbers)) != set(range(len(self.files))):
            raise RequestError("The model's chat template leaves out an image.")
        parts: list[str | bytes] = [pieces[0]]
        for number, after in zip(numbers, pieces[2::2], strict=True):
            parts += [self.files[int(number)], after]
        return parts

    def shown(self, text: str) -> str:
        """Return a rendered text as people are shown it."""
        return re.sub(f"{self._secret}n[0-9]+e", _SHOWN, text)

    def _marked(self, message: Message) -> Message:
        content = message.get("content")
        if not isinstance(content, list) or not any(part["type"] == "image" for part in content):
            return message
        return {**message, "content": "".join(map(self._text, content))}

    def _text(self, part: dict[str, Any]) -> str:
        if part["type"] != "image":
            return str(part["text"])
        self.files.append(part["data"])
        return f"{self._secret}n{len(self.files) - 1}e"
