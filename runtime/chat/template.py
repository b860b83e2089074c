"""A model's own chat template, rendered in jinja2's sandbox with Hugging Face's settings."""

import datetime
import json
import logging
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runtime.errors import RequestError, UnsupportedError

logger = logging.getLogger(__name__)

# ChatML, the format most models without a template of their own understand.
DEFAULT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Message = dict[str, Any]


class ChatTemplate:
    """Turns messages into the prompt the model was trained on.

    Args:
        source: The template, or None to use ChatML.
        bos_token: The text of the token that begins a sequence.
        eos_token: The text of the token that ends one.

    Attributes:
        source: The jinja source in use.

    Raises:
        UnsupportedError: The template is no valid jinja2.
    """

    def __init__(self, source: str | None, *, bos_token: str, eos_token: str) -> None:
        if source is None:
            logger.warning("The model has no chat template; using ChatML.")
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _raise_exception
        environment.globals["strftime_now"] = _strftime_now
        self.source = source or DEFAULT_TEMPLATE
        self._variables = {"bos_token": bos_token, "eos_token": eos_token}
        try:
            self._template = environment.from_string(self.source)
        except TemplateError as error:
            raise UnsupportedError(f"The model's chat template is not valid: {error}.") from error

    def render(self, messages: list[Message], *, add_generation_prompt: bool = True) -> str:
        """Return the prompt for a conversation.

        Args:
            messages: `{"role": ..., "content": ...}`, oldest first.
            add_generation_prompt: End with what begins the assistant's answer.

        Raises:
            RequestError: The template refuses these messages.
        """
        try:
            return self._template.render(
                messages=messages, add_generation_prompt=add_generation_prompt, **self._variables
            )
        except TemplateError as error:
            raise RequestError(
                f"The model's chat template refuses the messages: {error}."
            ) from error


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(pattern: str) -> str:
    return datetime.datetime.now().astimezone().strftime(pattern)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
