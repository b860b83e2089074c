"""A model's chat template, rendered as transformers renders it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from jinja2 import Template, TemplateError

from runtime.chat.sandbox import sandbox
from runtime.errors import RequestError, UnsupportedError

Message = dict[str, Any]

# A message's reasoning, by the names that clients and templates know it by.
_REASONING_FIELDS = ("reasoning_content", "thinking", "reasoning")
# transformers' own; templates that trim contents take its last character with them.
_END_MARK = "CONTINUE_FINAL_MESSAGE_TAG "


class ChatTemplate:
    """Turns messages into the prompt the model was trained on.

    Args:
        source: The template.
        bos_token: The text of the token that begins a sequence.
        eos_token: The text of the token that ends one.

    Attributes:
        source: The jinja source.
    """

    def __init__(self, source: str, *, bos_token: str, eos_token: str) -> None:
        self.source = source
        self._tokens = {"bos_token": bos_token, "eos_token": eos_token}

    @cached_property
    def _compiled(self) -> Template:
        try:
            return sandbox().from_string(self.source)
        except (TemplateError, RecursionError) as error:
            raise UnsupportedError(
                f"The chat template is not valid: {error}.",
                hint="Give another one by --chat-template-file.",
            ) from error

    def render(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[dict[str, Any]] | None = None,
        add_generation_prompt: bool = True,
        arguments: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the prompt for a conversation.

        Args:
            messages: In OpenAI's form, oldest first.
            tools: In OpenAI's form; None is none.
            add_generation_prompt: End with what begins the assistant's answer.
            arguments: More variables, such as `enable_thinking` or `documents`.

        Raises:
            RequestError: The template refuses these messages, or a variable's name is taken.
            UnsupportedError: The template is no valid jinja2.
        """
        variables = {
            **self._tokens,
            "messages": [_with_reasoning(message) for message in messages],
            "tools": tools,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }
        self._refuse_taken(arguments or {}, variables.keys() - {"documents"})
        template = self._compiled
        try:
            with sandbox().rendering():
                return template.render(variables, **(arguments or {}))
        except TemplateError as error:
            raise RequestError(
                f"The model's chat template refuses the messages: {error}."
            ) from error
        # A template is a program: what it does wrong with these messages, Python says in many ways.
        except Exception as error:
            raise RequestError(
                f"The model's chat template fails on the messages: {error}."
            ) from error

    def render_unfinished(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[dict[str, Any]] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the prompt that ends right behind the last message's text.

        That is its content, or its reasoning where it has no content.

        Raises:
            RequestError: As for `render`, or the template does not write that text at its end.
            UnsupportedError: The template is no valid jinja2.
        """
        *before, last = messages
        marked, text = _with_end_mark(last)
        rendered = self.render(
            [*before, marked], tools=tools, add_generation_prompt=False, arguments=arguments
        )
        end = rendered.rfind(_END_MARK.strip())
        if end < 0 or text.strip() not in rendered:
            raise RequestError(
                "The model's chat template cannot continue this last message.",
                hint="Send a user message after it.",
            )
        is_trimmed = not rendered.startswith(_END_MARK, end)
        return rendered[:end].rstrip() if is_trimmed else rendered[:end]

    def _refuse_taken(self, arguments: Mapping[str, Any], variables: set[str]) -> None:
        taken = (variables | sandbox().globals.keys()) & arguments.keys()
        if taken:
            raise RequestError(
                f"chat_template_kwargs sets {', '.join(sorted(taken))}, which chat templates get "
                "from the server."
            )


def _with_reasoning(message: Message) -> Message:
    """Return the message with its reasoning under the names that templates read."""
    found = (message[name] for name in _REASONING_FIELDS if message.get(name) is not None)
    reasoning = next(found, None)
    if reasoning is None:
        return message
    return {"thinking": reasoning, **message, "reasoning_content": reasoning}


def _with_end_mark(message: Message) -> tuple[Message, str]:
    """Return the message with a mark behind its text, and that text."""
    content = message.get("content") or ""
    if not content:
        reasoning = _with_reasoning(message)
        names = [name for name in _REASONING_FIELDS if reasoning.get(name)]
        if names:
            text = reasoning["reasoning_content"]
            return {**message, **dict.fromkeys(names, text + _END_MARK)}, text
    if isinstance(content, str):
        return {**message, "content": content + _END_MARK}, content
    texts = [index for index, part in enumerate(content) if "text" in part]
    if not texts:
        raise RequestError("The last message has no text to continue.")
    parts = list(content)
    text = parts[texts[-1]]["text"]
    parts[texts[-1]] = {**parts[texts[-1]], "text": text + _END_MARK}
    return {**message, "content": parts}, text
