"""Tests of what the settings say of conversations."""

from pathlib import Path

import pytest

from runtime.chat.options import ChatOptions, chat_options
from runtime.errors import UsageError
from runtime.settings.values import Settings


def test_nothing_is_set_by_default() -> None:
    """The model's own template, without more variables."""
    assert chat_options(Settings()) == ChatOptions()


def test_settings_become_options(tmp_path: Path) -> None:
    """A template from a file, and variables from three settings."""
    file = tmp_path / "chat.jinja"
    file.write_text("{{ 'ü' }}", encoding="utf-8")
    settings = Settings(
        system_prompt="Be brief.",
        chat_template_file=str(file),
        chat_template_kwargs='{"tone": "dry"}',
        reasoning="off",
        reasoning_effort="low",
    )
    assert chat_options(settings) == ChatOptions(
        "Be brief.",
        "{{ 'ü' }}",
        {"tone": "dry", "enable_thinking": False, "reasoning_effort": "low"},
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(jinja=False), "--no-jinja is not possible"),
        (Settings(reasoning="maybe"), "--reasoning is maybe. It may be auto, off or on"),
        (Settings(chat_template_kwargs="[1]"), "--chat-template-kwargs is no JSON object: "),
        (Settings(chat_template="llama3"), "--chat-template llama3 is no jinja template"),
        (Settings(chat_template="{% if %}"), "no valid jinja template: Expected an expression"),
        (Settings(chat_template_file="/no/file"), "cannot read /no/file: No such file"),
        (Settings(chat_template="chatml", chat_template_file="x"), "Give one"),
    ],
)
def test_mistakes_are_said(settings: Settings, message: str) -> None:
    """Each mistake is one sentence, at the start and not with the first answer."""
    with pytest.raises(UsageError, match=message.replace(".", r"\.")):
        chat_options(settings)
