"""Tests of which templates a model is used with."""

from dataclasses import dataclass, field

import pytest

from runtime.chat.template import ChatTemplate
from runtime.chat.template_choice import CHATML, TRANSCRIPT, TemplateChoice, choose_templates

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


@dataclass
class _Header:
    """What a GGUF says of templates."""

    templates: dict[str | None, str] = field(default_factory=dict)
    control_tokens: tuple[str, ...] = ()

    def chat_template(self, name: str | None = None) -> str | None:
        return self.templates.get(name)

    def control_token(self, text: str) -> int | None:
        return 1 if text in self.control_tokens else None


@pytest.mark.parametrize(
    ("templates", "asked", "chosen"),
    [
        ({None: "{{ 1 }}"}, "", TemplateChoice("{{ 1 }}", "{{ 1 }}")),
        ({None: "{{ 1 }}", "tool_use": "{{ 2 }}"}, "", TemplateChoice("{{ 1 }}", "{{ 2 }}")),
        ({"tool_use": "{{ 2 }}"}, "", TemplateChoice("{{ 2 }}", "{{ 2 }}")),
        ({None: "{{ 1 }}", "tool_use": "2"}, "{{ 3 }}", TemplateChoice("{{ 3 }}", "{{ 3 }}")),
        ({None: "{{ 1 }}"}, "chatml", TemplateChoice(CHATML, CHATML)),
    ],
)
def test_templates_are_chosen(
    templates: dict[str | None, str], asked: str, chosen: TemplateChoice
) -> None:
    """With tools the one for tools is used, if there is one; what the settings name beats all."""
    assert choose_templates(_Header(templates), asked) == chosen


def test_chatml_is_for_those_who_know_its_marks(caplog: pytest.LogCaptureFixture) -> None:
    """A model without a template whose vocabulary has ChatML's marks gets ChatML."""
    chosen = choose_templates(_Header(control_tokens=("<|im_start|>",)))
    assert _render(chosen.plain) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert "no chat template; using ChatML" in caplog.text


def test_others_get_a_transcript(caplog: pytest.LogCaptureFixture) -> None:
    """A model that knows no marks reads a dialogue as books print it."""
    chosen = choose_templates(_Header())
    assert chosen.plain == TRANSCRIPT
    assert _render(chosen.plain) == "System: Be brief.\n\nUser: Hi\n\nAssistant:"
    assert "--chat-template-file" in caplog.text


def _render(source: str) -> str:
    return ChatTemplate(source, bos_token="", eos_token="").render(MESSAGES)
