"""Which chat templates a model is used with."""

import logging
from typing import Protocol

import msgspec

logger = logging.getLogger(__name__)

# What most models without a template of their own were trained on, if their vocabulary shows it.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# For models that know no marks at all: a dialogue as it stands in a text.
TRANSCRIPT = (
    "{% for message in messages %}{{ message.role | capitalize }}: {{ message.content }}\n\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


class HasTemplates(Protocol):
    """A model, as far as its templates go."""

    def chat_template(self, name: str | None = None) -> str | None:
        """Return the template by a name, or the one for any conversation."""

    def control_token(self, text: str) -> int | None:
        """Return a special token's number by its name."""


class TemplateChoice(msgspec.Struct, frozen=True):
    """The templates in use.

    Args:
        plain: For conversations without tools.
        tool_use: For those with tools.
    """

    plain: str
    tool_use: str


def choose_templates(model: HasTemplates, asked: str = "") -> TemplateChoice:
    """Return a model's templates; the log tells where it has none.

    Args:
        model: The loaded model.
        asked: A template to use instead, or `chatml`; empty for the model's own.
    """
    if asked:
        template = CHATML if asked == "chatml" else asked
        return TemplateChoice(template, template)
    tool_use = model.chat_template("tool_use")
    plain = model.chat_template() or tool_use or _default(model)
    return TemplateChoice(plain, tool_use or plain)


def _default(model: HasTemplates) -> str:
    if model.control_token("<|im_start|>") is not None:
        logger.warning("The model has no chat template; using ChatML, whose marks it knows.")
        return CHATML
    logger.warning(
        "The model has no chat template, so conversations are written as a transcript; "
        "--chat-template-file gives it one."
    )
    return TRANSCRIPT
