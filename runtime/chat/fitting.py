"""Making any conversation fit a template that lacks roles or wants other forms."""

import json
from collections.abc import Sequence
from typing import Any

from runtime.chat.template import Message
from runtime.chat.template_traits import TemplateTraits, styled_call, styled_result


def fitted(messages: Sequence[Message], traits: TemplateTraits) -> list[Message]:
    """Return the messages as a template can write them; nothing is left out.

    Args:
        messages: In OpenAI's form, oldest first; arguments of tool calls are objects.
        traits: What the template can do; asked only for what the messages need.
    """
    fitting = _with_tools(_without_system(list(messages), traits), traits)
    return [_with_parts(message) for message in fitting] if traits.wants_parts else fitting


def _without_system(messages: list[Message], traits: TemplateTraits) -> list[Message]:
    """Return the messages with system texts in front of the user's next words."""
    has_system = any(message["role"] == "system" for message in messages)
    if not has_system or traits.supports_system:
        return messages
    fitting: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "system":
            waiting.append(_text(message))
        elif message["role"] == "user" and waiting:
            fitting.append({**message, "content": "\n\n".join([*waiting, _text(message)])})
            waiting = []
        else:
            fitting.append(message)
    if waiting:
        _say_as_user(fitting, "\n\n".join(waiting))
    return fitting


def _with_tools(messages: list[Message], traits: TemplateTraits) -> list[Message]:
    """Return the messages with calls and results in the template's form, or in words."""
    fitting: list[Message] = []
    names: dict[str, str] = {}
    spoken_for_user = False
    for message in messages:
        if message.get("tool_calls"):
            names |= {
                call.get("id", ""): call["function"]["name"] for call in message["tool_calls"]
            }
            style = traits.call_style
            fitting.append(styled_call(message, style) if style else _call_in_words(message))
        elif message["role"] == "user" and spoken_for_user:
            _say_as_user(fitting, _text(message))
        elif message["role"] != "tool":
            fitting.append(message)
        elif traits.supports_tool_results:
            style = traits.call_style
            fitting.append(styled_result(message, style) if style else message)
        else:
            name = message.get("name") or names.get(message.get("tool_call_id", ""), "")
            spoken_for_user = True
            _say_as_user(fitting, f"Result of {name or 'the tool'}:\n{_text(message)}")
    return fitting


def _call_in_words(message: Message) -> Message:
    calls = [
        json.dumps(
            {"name": call["function"]["name"], "arguments": call["function"]["arguments"]},
            ensure_ascii=False,
        )
        for call in message["tool_calls"]
    ]
    text = "\n".join([*filter(None, [_text(message)]), *calls])
    rest = {name: value for name, value in message.items() if name != "tool_calls"}
    return {**rest, "content": text}


def _say_as_user(messages: list[Message], text: str) -> None:
    """Add a user's message; behind another one it joins that, for roles often must alternate."""
    if messages and messages[-1]["role"] == "user":
        messages[-1] = {**messages[-1], "content": f"{_text(messages[-1])}\n\n{text}"}
    else:
        messages.append({"role": "user", "content": text})


def _text(message: Message) -> str:
    content: Any = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _with_parts(message: Message) -> Message:
    content = message.get("content")
    if not isinstance(content, str):
        return message
    return {**message, "content": [{"type": "text", "text": content}]}
