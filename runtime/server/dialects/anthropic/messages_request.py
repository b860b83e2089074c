"""The body of `/v1/messages`."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from runtime.chat.conversation import Conversation
from runtime.chat.images import one_below_the_other
from runtime.chat.template import Message
from runtime.chat.tools import Tool, ToolUse
from runtime.errors import RequestError
from runtime.server.dialects.anthropic.blocks import (
    Block,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    content_of,
    text_of,
)
from runtime.server.dialects.anthropic.cache_control import Markable
from runtime.server.fields.constraint import ConstraintFields, constraint
from runtime.server.fields.thinking import thinking_arguments
from runtime.server.fields.tool_use import tool_use
from runtime.server.json import Integer
from runtime.server.task import GenerationOptions

# Anthropic demands the field; like llama-server we do not.
DEFAULT_MAX_TOKENS = 4096

# Claude Code's first system block: a stamp that differs with each request. It tells a model
# nothing, and no prefix would be found again behind it.
_STAMP = "x-anthropic-billing-header:"
_EFFORTS = {"xhigh": "high", "max": "high"}


class InputMessage(msgspec.Struct):
    """One message of a conversation."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]

    def to_templates(self) -> list[Message]:
        """Return it as chat templates take it: what tools returned are messages of their own.

        Raises:
            RequestError: It has blocks that no model here takes.
        """
        blocks = [] if isinstance(self.content, str) else self.content
        messages: list[Message] = [
            {"role": "tool", "tool_call_id": block.tool_use_id, "content": block.text()}
            for block in blocks
            if isinstance(block, ToolResultBlock)
        ]
        content = content_of(self.content) if self.role == "user" else text_of(self.content)
        message: Message = {"role": self.role, "content": content}
        if calls := [block.to_template() for block in blocks if isinstance(block, ToolUseBlock)]:
            message["tool_calls"] = calls
        if thoughts := [one.thinking for one in blocks if isinstance(one, ThinkingBlock)]:
            message["reasoning_content"] = "\n".join(thoughts)
        return [*messages, message] if content or not messages else messages


class InputTool(Markable):
    """A tool that is offered."""

    name: str
    description: str = ""
    input_schema: dict[str, Any] | None = None
    type: str | None = None

    def to_tool(self) -> Tool:
        """Return it in the form that all dialects share.

        Raises:
            RequestError: It is one of those that only Anthropic's models or servers know.
        """
        if self.type not in (None, "custom"):
            raise RequestError(
                f"The tool {self.name[:100]} is of the type {self.type[:50]}, which is not here.",
                hint="Offer tools with an input_schema.",
            )
        return Tool(self.name, self.description, self.input_schema or {})


class ToolChoice(msgspec.Struct):
    """Whether tools are to be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool = False


class Thinking(msgspec.Struct):
    """Whether the model is to think; a budget for it is no limit here."""

    type: str
    display: str | None = None


class OutputFormat(msgspec.Struct):
    """What the answer has to be."""

    schema: Any
    type: Literal["json_schema"]


class OutputConfig(msgspec.Struct):
    """How hard to try, and what the answer has to be."""

    effort: str | None = None
    format: OutputFormat | None = None


class MessagesRequest(Markable, kw_only=True):
    """The body of `/v1/messages`; fields not named here are ignored."""

    messages: list[InputMessage]
    model: str = ""
    max_tokens: Integer = DEFAULT_MAX_TOKENS
    system: str | list[TextBlock] = ""
    stream: bool = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: Integer | None = None
    stop_sequences: list[str] | None = None
    tools: list[InputTool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None

    @property
    def omits_thinking(self) -> bool:
        """Whether the client does not want to see thoughts."""
        return self.thinking is not None and self.thinking.display == "omitted"

    def generation_options(self) -> GenerationOptions:
        """Return how to generate.

        Raises:
            RequestError: A field's value cannot be used.
        """
        if self.max_tokens < 1:
            raise RequestError(f"max_tokens is {self.max_tokens}, and must be at least 1.")
        asked = {name: getattr(self, name) for name in ("temperature", "top_p", "top_k")}
        asked = {name: value for name, value in asked.items() if value is not None}
        output = self.output_format or (self.output_config and self.output_config.format)
        if output:
            asked |= constraint(ConstraintFields(json_schema=output.schema))
        return GenerationOptions(
            sampling=asked,
            max_tokens=self.max_tokens,
            stop=tuple(self.stop_sequences or ()),
        )

    def conversation(self) -> Conversation:
        """Return what to answer; behind a last message of the assistant's its text goes on.

        Raises:
            RequestError: There is no message, or one cannot be used, or a tool cannot.
        """
        if not self.messages:
            raise RequestError("messages is empty.")
        messages = joined(one for message in self.messages for one in message.to_templates())
        if system := self._system():
            messages.insert(0, {"role": "system", "content": system})
        last = messages[-1]
        if last.get("tool_calls"):
            raise RequestError("The last message calls tools, and what they returned is not there.")
        return Conversation(
            messages,
            tool_use=self._tool_use(),
            template_arguments=self._template_arguments(),
            continues_last=last["role"] == "assistant",
        )

    def _system(self) -> str:
        if isinstance(self.system, str):
            return self.system
        return text_of([block for block in self.system if not block.text.startswith(_STAMP)])

    def _tool_use(self) -> ToolUse:
        tools = [tool.to_tool() for tool in self.tools or ()]
        asked = self.tool_choice or ToolChoice("auto")
        if tools and asked.type == "tool" and not asked.name:
            raise RequestError("tool_choice of the type tool needs the name of one.")
        is_parallel = not asked.disable_parallel_tool_use
        match asked.type:
            case "any":
                return tool_use(tools, "required", is_parallel=is_parallel)
            case "tool":
                return tool_use(tools, "required", only=asked.name, is_parallel=is_parallel)
            case choice:
                return tool_use(tools, choice, is_parallel=is_parallel)

    def _template_arguments(self) -> dict[str, Any]:
        effort = self.output_config.effort if self.output_config else None
        return thinking_arguments(
            None if self.thinking is None else self.thinking.type != "disabled",
            _EFFORTS.get(effort, effort) if effort else None,
        )


def joined(messages: Iterable[Message]) -> list[Message]:
    """Return messages with those of one role in a row as one, as Anthropic reads them."""
    result: list[Message] = []
    for message in messages:
        last = result[-1] if result else {}
        # What was called stays apart from what is said next.
        if message["role"] != last.get("role") or message["role"] == "tool" or "tool_calls" in last:
            result.append(message)
            continue
        content = one_below_the_other([last["content"], message["content"]])
        result[-1] = {**last, **message, "content": content}
    return result
