"""Conversations in JSON files, their messages in OpenAI's form."""

import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from runtime.chat.images import image_part, text_part
from runtime.chat.template import Message
from runtime.errors import RequestError

_ROLES = ("system", "user", "assistant")


def save_conversation(path: Path, messages: Sequence[Message], *, model: str) -> None:
    """Write a conversation; what was in the file stands until all of it is written.

    Raises:
        RequestError: The file cannot be written.
    """
    content = {"model": model, "messages": [_to_file(message) for message in messages]}
    data = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RequestError(f"{path} cannot be written: {error.strerror}.") from error


def load_conversation(path: Path) -> list[Message]:
    """Return the messages of a conversation, or of a bare list of them.

    Raises:
        RequestError: The file cannot be read, or is no conversation.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(f"{path} is no JSON: {error}.") from error
    messages = content.get("messages") if isinstance(content, dict) else content
    if not isinstance(messages, list):
        raise RequestError(f"{path} has no list of messages.")
    try:
        return [_from_file(message) for message in messages]
    except (KeyError, TypeError, ValueError) as error:
        raise RequestError(
            f"{path} holds a message that is none.",
            hint='Each has a "role" of system, user or assistant, and a "content".',
        ) from error


def _to_file(message: Message) -> dict[str, Any]:
    content = message["content"]
    if isinstance(content, str):
        return dict(message)
    return {**message, "content": [_part_to_file(part) for part in content]}


def _part_to_file(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] != "image":
        return part
    data = binascii.b2a_base64(part["data"], newline=False).decode()
    return {"type": "image_url", "image_url": {"url": f"data:;base64,{data}"}}


def _from_file(message: Any) -> Message:
    """Return one message; what is no message raises whatever it raises."""
    role, content = message["role"], message["content"]
    if role not in _ROLES:
        raise ValueError(role)
    if not isinstance(content, str):
        content = [_part_from_file(part) for part in content]
    thought = message.get("reasoning_content")
    return {"role": role, "content": content} | (
        {"reasoning_content": str(thought)} if thought else {}
    )


def _part_from_file(part: Any) -> dict[str, Any]:
    if part["type"] == "text":
        return text_part(str(part["text"]))
    head, _, data = part["image_url"]["url"].partition(",")
    if not head.startswith("data:"):
        raise ValueError(head)
    return image_part(binascii.a2b_base64(data))
