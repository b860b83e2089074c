"""What all conversations that begin with a prompt have in common, as the model's tokens."""

import msgspec

from runtime.chat.conversation import ChatFormat, Conversation
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.radix_tree import common_prefix_length
from runtime.errors import RequestError
from runtime.manifest import Prompt

# First words of a user that share no beginning: none of them may become a part of the prompt.
_QUESTIONS = ("What is rain?", "42", "\u00e9t\u00e9", "(a) or (b)?", "\n\n- item")


def shared_prefix(chat: ChatFormat, prompt: Prompt) -> list[int]:
    """Return the longest run of tokens that any question behind the prompt begins with.

    Raises:
        RequestError: The model's template refuses the messages, or a tool is none.
        UnsupportedError: The model's template is not valid.
    """
    tools = ToolUse(tuple(_tool(tool) for tool in prompt.tools))
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    prefix: list[int] | None = None
    for question in _QUESTIONS:
        messages = [*system, *prompt.messages, {"role": "user", "content": question}]
        tokens = chat.prompt(Conversation(messages, tools)).tokens
        prefix = tokens if prefix is None else prefix[: common_prefix_length(prefix, tokens)]
    assert prefix is not None, "there are questions"
    return prefix


def _tool(tool: dict[str, object]) -> Tool:
    try:
        return msgspec.convert(tool.get("function", tool), Tool)
    except msgspec.ValidationError as error:
        raise RequestError(f"A tool of the prompt does not fit: {error}.") from error
