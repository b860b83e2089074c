"""The body of `/api/chat`."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from runtime.chat.conversation import Conversation
from runtime.chat.template import Message
from runtime.chat.tools import NO_TOOLS, Tool, ToolUse
from runtime.server.dialects.ollama.request import AnswerFields, with_images


class OllamaCall(msgspec.Struct):
    """A function that was called, and with what."""

    name: str
    arguments: dict[str, Any] = {}


class OllamaToolCall(msgspec.Struct):
    """A tool call in a past message."""

    function: OllamaCall
    id: str = ""

    def to_template(self, number: int) -> dict[str, Any]:
        """Return it as chat templates take it.

        Args:
            number: Its number in the conversation, which makes its id if it has none.
        """
        function = {"name": self.function.name, "arguments": self.function.arguments}
        return {"id": self.id or f"call_{number}", "type": "function", "function": function}


class OllamaMessage(msgspec.Struct):
    """One message of a conversation."""

    role: str
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[OllamaToolCall] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class OllamaFunction(msgspec.Struct):
    """A function that is offered."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class OllamaTool(msgspec.Struct):
    """A tool that is offered."""

    function: OllamaFunction
    type: Literal["function"] = "function"

    def to_tool(self) -> Tool:
        """Return it in the form that all dialects share."""
        function = self.function
        return Tool(function.name, function.description or "", function.parameters or {})


class OllamaChatRequest(AnswerFields, kw_only=True):
    """The body of `/api/chat`; fields not named here are ignored."""

    messages: list[OllamaMessage] | None = None
    tools: list[OllamaTool] | None = None

    def conversation(self, *, can_think: bool) -> Conversation:
        """Return what to answer.

        Args:
            can_think: Whether the model was made to think.

        Raises:
            RequestError: A message cannot be used, or `think` cannot.
        """
        tools = tuple(tool.to_tool() for tool in self.tools or ())
        return Conversation(
            template_messages(self.messages or ()),
            tool_use=ToolUse(tools) if tools else NO_TOOLS,
            template_arguments=self.template_arguments(can_think=can_think),
        )


def template_messages(messages: Iterable[OllamaMessage]) -> list[Message]:
    """Return messages as chat templates take them.

    Templates tie results to calls by ids. In Ollama's API these are new, and a result without one
    is that of the first call of its tool that has none yet.

    Raises:
        RequestError: An image is no base64.
    """
    written: list[Message] = []
    waiting: list[dict[str, Any]] = []
    num_calls = 0
    for message in messages:
        content = with_images(message.content or "", message.images)
        one: Message = {"role": message.role, "content": content}
        if message.thinking:
            one["reasoning_content"] = message.thinking
        if message.tool_calls:
            one["tool_calls"] = [
                call.to_template(num_calls + index) for index, call in enumerate(message.tool_calls)
            ]
            num_calls += len(message.tool_calls)
            waiting += one["tool_calls"]
        if message.role == "tool":
            one |= _call_facts(message, waiting)
        written.append(one)
    return written


def _call_facts(message: OllamaMessage, waiting: list[dict[str, Any]]) -> Message:
    """Return the id and the name of the call that a message has the result of."""
    for call in waiting:
        name = call["function"]["name"]
        if message.tool_call_id in (None, "", call["id"]) and message.tool_name in (None, "", name):
            waiting.remove(call)
            return {"tool_call_id": call["id"], "name": name}
    facts = {"tool_call_id": message.tool_call_id, "name": message.tool_name}
    return {key: value for key, value in facts.items() if value}
