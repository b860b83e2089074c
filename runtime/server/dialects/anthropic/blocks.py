"""The content blocks of messages in Anthropic's API."""

from collections.abc import Iterable
from typing import Any

import msgspec

from runtime.chat.images import Content, image_part, one_below_the_other
from runtime.errors import RequestError
from runtime.server.dialects.anthropic.cache_control import Markable
from runtime.server.fields.image import image_of_base64


class TextBlock(Markable, tag="text"):
    """A piece of text."""

    text: str


class ImageSource(msgspec.Struct):
    """An image's file in base64; from elsewhere none is taken."""

    type: str
    data: str = ""


class ImageBlock(Markable, tag="image"):
    """An image."""

    source: ImageSource

    def to_template(self) -> dict[str, Any]:
        """Return it as a part of a conversation's message.

        Raises:
            RequestError: It is not in base64.
        """
        if self.source.type != "base64":
            raise RequestError(
                f"An image's source is of the type {self.source.type[:50]}, and nothing is "
                "fetched for clients.",
                hint="Send the image itself, with a source of the type base64.",
            )
        return image_part(image_of_base64(self.source.data))


class DocumentBlock(Markable, tag="document"):
    """A document; refused: nothing here reads one."""

    source: Any = None


class ThinkingBlock(msgspec.Struct, tag="thinking"):
    """What the model thought; the signature that comes with it is empty here."""

    thinking: str


class RedactedThinkingBlock(msgspec.Struct, tag="redacted_thinking"):
    """Thoughts of a model at Anthropic, which nobody else can read; left out."""

    data: str = ""


class ToolUseBlock(Markable, tag="tool_use"):
    """A tool call."""

    id: str
    name: str
    input: dict[str, Any] = msgspec.field(default_factory=dict)

    def to_template(self) -> dict[str, Any]:
        """Return it as chat templates take it."""
        function = {"name": self.name, "arguments": self.input}
        return {"id": self.id, "type": "function", "function": function}


class ToolResultBlock(Markable, tag="tool_result"):
    """What a tool returned."""

    tool_use_id: str
    content: str | list[TextBlock | ImageBlock | DocumentBlock] | None = None
    is_error: bool = False

    def text(self) -> str:
        """Return it as text; templates know no errors, so a failure says that it is one.

        Raises:
            RequestError: It has parts that no model here takes.
        """
        text = text_of(self.content or "")
        is_said = "error" in text[:20].lower()
        return f"Error: {text}" if self.is_error and not is_said else text


Block = (
    TextBlock
    | ImageBlock
    | DocumentBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ToolResultBlock
)


def text_of(content: str | Iterable[Block]) -> str:
    """Return the text of a content, its blocks one below the other.

    Raises:
        RequestError: It has blocks that no model here takes.
    """
    if isinstance(content, str):
        return content
    texts = []
    for block in content:
        match block:
            case TextBlock():
                texts.append(block.text)
            case ImageBlock() | DocumentBlock():
                kind = "images but a user's" if isinstance(block, ImageBlock) else "documents"
                raise RequestError(f"This model takes no {kind}.", hint="Send text alone.")
            case _:
                pass
    return "\n".join(texts)


def content_of(content: str | list[Block]) -> Content:
    """Return a content: its text, or parts where there are images.

    Raises:
        RequestError: It has blocks that no model here takes, or an image that cannot be used.
    """
    if isinstance(content, str) or not any(isinstance(block, ImageBlock) for block in content):
        return text_of(content)
    return one_below_the_other(
        [block.to_template()] if isinstance(block, ImageBlock) else text_of([block])
        for block in content
    )
