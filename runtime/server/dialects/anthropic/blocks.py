"""The content blocks of messages in Anthropic's API."""

from collections.abc import Iterable
from typing import Any

import msgspec

from runtime.errors import RequestError


class TextBlock(msgspec.Struct, tag="text"):
    """A piece of text."""

    text: str


class ImageBlock(msgspec.Struct, tag="image"):
    """An image; refused, since no model here sees."""

    source: Any = None


class DocumentBlock(msgspec.Struct, tag="document"):
    """A document; refused: nothing here reads one."""

    source: Any = None


class ThinkingBlock(msgspec.Struct, tag="thinking"):
    """What the model thought; the signature that comes with it is empty here."""

    thinking: str


class RedactedThinkingBlock(msgspec.Struct, tag="redacted_thinking"):
    """Thoughts of a model at Anthropic, which nobody else can read; left out."""

    data: str = ""


class ToolUseBlock(msgspec.Struct, tag="tool_use"):
    """A tool call."""

    id: str
    name: str
    input: dict[str, Any] = {}

    def to_template(self) -> dict[str, Any]:
        """Return it as chat templates take it."""
        function = {"name": self.name, "arguments": self.input}
        return {"id": self.id, "type": "function", "function": function}


class ToolResultBlock(msgspec.Struct, tag="tool_result"):
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
                kind = "images" if isinstance(block, ImageBlock) else "documents"
                raise RequestError(f"This model takes no {kind}.", hint="Send text alone.")
            case _:
                pass
    return "\n".join(texts)
