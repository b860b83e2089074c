"""What all conversations that begin in one way have in common, as the model's tokens."""

from msgspec.structs import replace

from runtime.chat.conversation import ChatFormat, Conversation
from runtime.chat.template import Message
from runtime.engine.radix_tree import common_prefix_length

# First words of a user that share no beginning: none of them may become a part of the prefix.
_QUESTIONS = ("What is rain?", "42", "\u00e9t\u00e9", "(a) or (b)?", "\n\n- item")


def shared_prefix(chat: ChatFormat, beginning: Conversation) -> list[int]:
    """Return the longest run of tokens that any question behind a conversation begins with.

    Args:
        chat: The model's way to write conversations.
        beginning: Its messages may be none; what else it says holds for all that follow.

    Raises:
        RequestError: The model's template refuses the messages.
        UnsupportedError: The model's template is not valid.
    """
    prefix: list[int] | None = None
    for question in _QUESTIONS:
        asked: Message = {"role": "user", "content": question}
        tokens = chat.read(replace(beginning, messages=[*beginning.messages, asked])).tokens
        prefix = tokens if prefix is None else prefix[: common_prefix_length(prefix, tokens)]
    assert prefix is not None, "there are questions"
    return prefix
