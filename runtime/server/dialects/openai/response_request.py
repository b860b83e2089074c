"""The body of a request to `/v1/responses`."""

from typing import Any, Literal

import msgspec

from runtime.chat.conversation import Conversation
from runtime.chat.tools import Tool, ToolUse
from runtime.engine.model import Model
from runtime.errors import RequestError
from runtime.server.dialects.openai.input_items import input_messages
from runtime.server.dialects.openai.logprobs import num_top_logprobs
from runtime.server.fields.generation import GenerationFields
from runtime.server.fields.tool_use import tool_use
from runtime.server.json import Integer
from runtime.server.task import GenerationOptions

LOGPROBS = "message.output_text.logprobs"


class AnyText(msgspec.Struct, tag="text"):
    """The answer may be any text."""


class JsonObject(msgspec.Struct, tag="json_object"):
    """The answer is a JSON object."""


class JsonSchema(msgspec.Struct, tag="json_schema", omit_defaults=True):
    """The answer is JSON that satisfies a schema; strictly, whatever `strict` says."""

    schema: Any
    name: str = ""
    description: str | None = None
    strict: bool | None = None


class TextConfig(msgspec.Struct):
    """What the answer's text has to be."""

    format: AnyText | JsonObject | JsonSchema = msgspec.field(default_factory=AnyText)

    def response_format(self) -> dict[str, Any]:
        """Return the format as chat completions take it."""
        match self.format:
            case AnyText():
                return {"type": "text"}
            case JsonObject():
                return {"type": "json_object"}
            case JsonSchema(schema):
                return {"type": "json_schema", "json_schema": {"schema": schema}}


class ResponseTool(msgspec.Struct):
    """A tool that is offered; OpenAI's own, which are no functions, are refused."""

    type: str
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def to_tool(self) -> Tool:
        """Return it in the form that all dialects share.

        Raises:
            RequestError: It is no function, or has no name.
        """
        if self.type != "function":
            raise RequestError(
                f"A tool has the type {self.type[:50]}, which is not there.",
                hint="Offer tools of the type function, which the client calls.",
            )
        if not self.name:
            raise RequestError("A tool has no name.")
        return Tool(self.name, self.description or "", self.parameters or {})


class ChosenFunction(msgspec.Struct, tag="function"):
    """The function that has to be called."""

    name: str


class AllowedTools(msgspec.Struct, tag="allowed_tools"):
    """The only tools that may be called, of those offered."""

    tools: list[ResponseTool]
    mode: Literal["auto", "required"] = "auto"


class Reasoning(msgspec.Struct):
    """How much the model is to think before it answers."""

    effort: str | None = None


class ResponseRequest(GenerationFields, kw_only=True):
    """The body of a request to `/v1/responses`; fields not named here are ignored."""

    input: str | list[dict[str, Any]]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Integer | None = None
    text: TextConfig | None = None
    tools: list[ResponseTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | ChosenFunction | AllowedTools | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    include: list[str] | None = None
    top_logprobs: Integer | None = None
    metadata: dict[str, str] | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    prompt: Any = None

    @property
    def wants_logprobs(self) -> bool:
        """Whether the answer tells how likely its tokens were."""
        return bool(self.top_logprobs) or LOGPROBS in (self.include or ())

    def token_limit(self) -> int | None:
        """Return how many tokens the body allows; None says nothing."""
        if self.max_output_tokens is not None:
            return self.max_output_tokens
        return super().token_limit()

    def response_options(self, model: Model) -> GenerationOptions:
        """Return how to generate.

        Raises:
            RequestError: A field's value cannot be used, or two do not fit together.
        """
        if self.n not in (None, 1):
            raise RequestError(f"n is {self.n}, and a response is always one answer.")
        body = self
        if self.text is not None:
            body = msgspec.structs.replace(self, response_format=self.text.response_format())
        wanted = self.top_logprobs if self.wants_logprobs else None
        return body.options(model, num_top_logprobs(self.wants_logprobs, wanted))

    def to_conversation(self) -> Conversation:
        """Return what to answer.

        Raises:
            RequestError: It needs what is not stored here, or an item or a tool cannot be used.
        """
        self._check_stateless()
        messages = input_messages(self.input, self.instructions)
        if not messages:
            raise RequestError("input is empty.")
        arguments = dict(self.chat_template_kwargs or {})
        if self.reasoning and self.reasoning.effort is not None:
            arguments.setdefault("reasoning_effort", self.reasoning.effort)
        return Conversation(messages, tool_use=self._tool_use(), template_arguments=arguments)

    def _check_stateless(self) -> None:
        """Refuse what only a server could do that stores responses and prompts."""
        for name in ("previous_response_id", "conversation", "prompt"):
            if getattr(self, name):
                raise RequestError(
                    f"{name} cannot be used, since nothing is stored here.",
                    hint="Send the whole conversation as input.",
                )
        if self.background:
            raise RequestError(
                "background cannot be used, since nothing is stored here.",
                hint="Wait for the answer, or stream it.",
            )

    def _tool_use(self) -> ToolUse:
        tools = [tool.to_tool() for tool in self.tools or ()]
        is_parallel = self.parallel_tool_calls is not False
        match self.tool_choice:
            case ChosenFunction(name):
                return tool_use(tools, "required", only=name, is_parallel=is_parallel)
            case AllowedTools(allowed, mode) if tools:
                names = {tool.name for tool in allowed}
                tools = [tool for tool in tools if tool.name in names]
                if not tools:
                    raise RequestError("tool_choice allows none of the tools.")
                return tool_use(tools, mode, is_parallel=is_parallel)
            case AllowedTools():
                return tool_use(tools, "required", is_parallel=is_parallel)
            case choice:
                return tool_use(tools, choice or "auto", is_parallel=is_parallel)
