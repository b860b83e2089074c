"""How much of a prompt stands before the request's last `cache_control`."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from runtime.chat.conversation import ChatFormat
from runtime.engine.radix_tree import common_prefix_length
from runtime.errors import RequestError
from runtime.server.dialects.anthropic.blocks import Block, TextBlock
from runtime.server.dialects.anthropic.cache_control import CacheControl, Markable
from runtime.server.dialects.anthropic.messages_request import InputMessage, MessagesRequest

# What hardly any prompt has behind the mark.
_OTHER = TextBlock("\u2e3b 42")


class MarkedPrefix(msgspec.Struct, frozen=True):
    """The beginning of a prompt, and how many seconds it is to stay."""

    tokens: list[int]
    seconds: float


class _Mark(msgspec.Struct, frozen=True):
    """A mark at the end of an item, which has this number, from 1."""

    number: int
    control: CacheControl


class _Cut(msgspec.Struct, frozen=True):
    """A request up to its mark, which goes on otherwise there."""

    request: MessagesRequest
    control: CacheControl


def marked_prefix(
    chat: ChatFormat, body: MessagesRequest, prompt: list[int]
) -> MarkedPrefix | None:
    """Return what of a prompt stands before the last mark.

    Args:
        chat: The model's way to write conversations.
        body: The request.
        prompt: What it became.

    Returns:
        None where there is no mark, or the template takes no conversation that ends there.
    """
    cut = _cut(body)
    if cut is None:
        return None
    try:
        other = chat.read(cut.request.conversation()).tokens
    except RequestError:
        return None
    return MarkedPrefix(prompt[: common_prefix_length(other, prompt)], cut.control.seconds)


def _cut(body: MessagesRequest) -> _Cut | None:
    last = len(body.messages) - 1
    if body.cache_control:
        return _cut_after(body, last, _blocks(body.messages[last]), body.cache_control)
    for index in range(last, -1, -1):
        blocks = _blocks(body.messages[index])
        if mark := _last_mark(blocks):
            return _cut_after(body, index, blocks[: mark.number], mark.control)
    asked = replace(body, messages=[InputMessage("user", [_OTHER])])
    if not isinstance(body.system, str) and (mark := _last_mark(body.system)):
        return _Cut(replace(asked, system=body.system[: mark.number]), mark.control)
    # Where a template writes tools is its own affair; most do before the system's text ends.
    if mark := _last_mark(body.tools or ()):
        return _Cut(replace(asked, system=""), mark.control)
    return None


def _cut_after(
    body: MessagesRequest, index: int, blocks: list[Block], control: CacheControl
) -> _Cut:
    message = InputMessage(body.messages[index].role, [*blocks, _OTHER])
    return _Cut(replace(body, messages=[*body.messages[:index], message]), control)


def _last_mark(items: Sequence[object]) -> _Mark | None:
    marks = [
        _Mark(number, item.cache_control)
        for number, item in enumerate(items, 1)
        if isinstance(item, Markable) and item.cache_control
    ]
    return marks[-1] if marks else None


def _blocks(message: InputMessage) -> list[Block]:
    content = message.content
    return [TextBlock(content)] if isinstance(content, str) else content
