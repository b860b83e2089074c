"""What the settings say of conversations."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from runtime.errors import UsageError
from runtime.settings.values import Settings


class ChatOptions(msgspec.Struct, frozen=True):
    """What the settings say of conversations.

    Args:
        system_prompt: The system message of conversations that bring none; may be empty.
        template: A chat template instead of the model's own, or `chatml`; empty for its own.
        template_arguments: More variables for templates, where a conversation does not set them.
    """

    system_prompt: str = ""
    template: str = ""
    template_arguments: Mapping[str, Any] = {}


def chat_options(settings: Settings) -> ChatOptions:
    """Return what the settings say.

    Raises:
        UsageError: A setting has no sense.
    """
    if not settings.jinja:
        raise UsageError(
            "--no-jinja is not possible here.",
            hint="Chat templates are always jinja; leave it out, or give --chat-template.",
        )
    arguments = _arguments(settings.chat_template_kwargs)
    if settings.reasoning not in ("on", "off", "auto"):
        raise UsageError(f"--reasoning is {settings.reasoning}.", hint="It may be auto, off or on.")
    if settings.reasoning != "auto":
        arguments["enable_thinking"] = settings.reasoning == "on"
    if settings.reasoning_effort != "default":
        arguments["reasoning_effort"] = settings.reasoning_effort
    return ChatOptions(settings.system_prompt, _template(settings), arguments)


def _template(settings: Settings) -> str:
    if not settings.chat_template_file:
        return _checked(settings.chat_template, f"--chat-template {settings.chat_template[:60]}")
    if settings.chat_template:
        raise UsageError("There are --chat-template and --chat-template-file.", hint="Give one.")
    path = Path(settings.chat_template_file)
    try:
        return _checked(path.read_text(encoding="utf-8"), f"--chat-template-file {path}")
    except OSError as error:
        raise UsageError(f"--chat-template-file cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--chat-template-file {path} is not UTF-8.") from error


def _checked(template: str, place: str) -> str:
    """Return a template, or `chatml`, or nothing."""
    if template in ("", "chatml"):
        return template
    if "{" not in template:
        raise UsageError(f"{place} is no jinja template.", hint="Give its text, or chatml.")
    # Few runs have one, and every start would wait for jinja2.
    from runtime.chat.sandbox import invalidity

    if reason := invalidity(template):
        raise UsageError(f"{place} is no valid jinja template: {reason}.")
    return template


def _arguments(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(
            f"--chat-template-kwargs is no JSON object: {text[:100]}.",
            hint="""Give one like '{"enable_thinking": false}'.""",
        ) from error
