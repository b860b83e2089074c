"""A prompt as conversations begin with it."""

from typing import Any

import msgspec

from runtime.chat.conversation import Conversation
from runtime.chat.tools import Tool, ToolUse
from runtime.errors import RequestError
from runtime.manifest import Prompt


def beginning(prompt: Prompt) -> Conversation:
    """Return a prompt's messages and tools.

    Raises:
        RequestError: A tool is none.
    """
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    return Conversation([*system, *prompt.messages], ToolUse(tuple(map(_tool, prompt.tools))))


def _tool(tool: dict[str, Any]) -> Tool:
    try:
        return msgspec.convert(tool.get("function", tool), Tool)
    except msgspec.ValidationError as error:
        raise RequestError(f"A tool of the prompt does not fit: {error}.") from error
