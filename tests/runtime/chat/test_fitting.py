"""Tests of making conversations fit templates that lack roles or want other forms."""

import json
from typing import Any

import pytest

from builder.native.llamacpp import source_folder
from runtime.chat.fitting import fitted
from runtime.chat.template import ChatTemplate, Message
from runtime.chat.template_traits import CallStyle, TemplateTraits

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "How warm is it?"}
CALL: Message = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {
            "id": "call_abc_123",
            "type": "function",
            "function": {"name": "get_weather", "arguments": {"city": "Köln"}},
        }
    ],
}
RESULT = {"role": "tool", "tool_call_id": "call_abc_123", "content": "21 °C"}


def _template(source: str) -> ChatTemplate:
    return ChatTemplate(source, bos_token="<s>", eos_token="</s>")


def _known(name: str) -> ChatTemplate:
    folder = source_folder() / "vendor" / "llama.cpp" / "models" / "templates"
    return _template((folder / f"{name}.jinja").read_text(encoding="utf-8"))


def _fitted(template: ChatTemplate, *messages: Message) -> list[Message]:
    return fitted(messages, TemplateTraits(template))


PLAIN = "{% for m in messages %}[{{ m.role }}:{{ m.content }}]{% endfor %}"


@pytest.mark.parametrize(
    ("name", "system", "tools", "results", "style"),
    [
        ("Qwen-Qwen2.5-7B-Instruct", True, True, True, CallStyle()),
        ("meta-llama-Llama-3.1-8B-Instruct", True, True, True, CallStyle()),
        ("openai-gpt-oss-120b", True, True, True, CallStyle()),
        ("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", True, True, True, CallStyle()),
        ("mistralai-Mistral-Nemo-Instruct-2407", True, True, True, CallStyle(has_short_ids=True)),
        (
            "meetkai-functionary-medium-v3.2",
            True, True, True, CallStyle(has_argument_texts=True),
        ),
        (
            "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
            True, False, True, CallStyle(has_null_content=True, has_argument_texts=True),
        ),
        ("ibm-granite-granite-3.3-2B-Instruct", True, True, True, None),
        ("google-gemma-2-2b-it", False, False, False, None),
        ("microsoft-Phi-3.5-mini-instruct", True, False, False, None),
    ],
)  # fmt: skip
def test_traits_of_real_templates(
    name: str, system: bool, tools: bool, results: bool, style: CallStyle | None
) -> None:
    """What templates in use can do is found by trying."""
    traits = TemplateTraits(_known(name))
    assert (traits.supports_system, traits.supports_tools) == (system, tools)
    assert (traits.supports_tool_results, traits.call_style) == (results, style)
    assert not traits.wants_parts


def test_nothing_is_rendered_for_a_plain_chat() -> None:
    """A chat without system message and tools costs no trial; nothing is even compiled."""
    traits = TemplateTraits(_template("{% this is not jinja %}"))
    assert fitted([USER], traits) == [USER]


def test_system_text_goes_to_the_user_where_there_is_no_system_role() -> None:
    """Gemma's template refuses system messages; their text stands before the user's."""
    template = _known("google-gemma-2-2b-it")
    messages = _fitted(template, SYSTEM, USER)
    assert messages == [{"role": "user", "content": "Be brief.\n\nHow warm is it?"}]
    assert "Be brief." in template.render(messages)


def test_a_system_text_alone_becomes_the_users() -> None:
    """Nothing is left out, even where no user spoke."""
    template = _known("google-gemma-2-2b-it")
    assert _fitted(template, SYSTEM) == [{"role": "user", "content": "Be brief."}]
    assert _fitted(template, USER, SYSTEM) == [
        {"role": "user", "content": "How warm is it?\n\nBe brief."}
    ]


def test_calls_and_results_in_words() -> None:
    """A template that knows neither is told of both in texts, in roles that alternate."""
    template = _known("google-gemma-2-2b-it")
    messages = _fitted(template, USER, CALL, RESULT, USER)
    assert messages == [
        USER,
        {
            "role": "assistant",
            "content": '{"name": "get_weather", "arguments": {"city": "Köln"}}',
        },
        {"role": "user", "content": "Result of get_weather:\n21 °C\n\nHow warm is it?"},
    ]
    assert "21 °C" in template.render(messages)


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        (PLAIN + "{{ messages[1].tool_calls[0].function.arguments | tojson }}", {"city": "Köln"}),
        (PLAIN + "{{ '' + messages[1].tool_calls[0].function.arguments }}", '{"city": "Köln"}'),
    ],
)
def test_arguments_come_as_the_template_wants_them(source: str, arguments: Any) -> None:
    """As an object where it writes JSON itself, as a text where it writes a text."""
    template = _template(source)
    messages = _fitted(template, USER, CALL, RESULT)
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == arguments
    assert '{"city": "Köln"}' in template.render(messages)


def test_ids_are_shortened_for_mistral() -> None:
    """A call and its result keep the same id, which is nine letters and digits."""
    template = _known("mistralai-Mistral-Nemo-Instruct-2407")
    _, call, result = messages = _fitted(template, USER, CALL, RESULT)
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    assert len(result["tool_call_id"]) == 9
    assert result["tool_call_id"].isalnum()
    assert '"get_weather"' in template.render(messages)


def test_null_content_for_templates_that_ask_for_it() -> None:
    """DeepSeek's first template writes calls only where the content is null."""
    template = _known("deepseek-ai-DeepSeek-R1-Distill-Llama-8B")
    messages = _fitted(template, USER, CALL, RESULT)
    assert messages[1]["content"] is None
    assert json.dumps({"city": "Köln"}, ensure_ascii=False) in template.render(messages)


def test_contents_in_parts() -> None:
    """A template that goes through parts gets them, for every role."""
    template = _template(
        "{% for m in messages %}{{ m.role }}:"
        "{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}"
        "{% endfor %};{% endfor %}"
    )
    messages = _fitted(template, SYSTEM, USER)
    assert messages[1]["content"] == [{"type": "text", "text": "How warm is it?"}]
    assert template.render(messages) == "system:Be brief.;user:How warm is it?;"


def test_a_template_for_both_gets_texts() -> None:
    """Where texts do, they stay texts."""
    template = _template(
        "{% for m in messages %}{% if m.content is string %}{{ m.content }}"
        "{% else %}{{ m.content[0].text }}{% endif %}{% endfor %}"
    )
    assert _fitted(template, USER) == [USER]


def test_no_message_is_changed() -> None:
    """What a caller passed stays as it is."""
    before = json.dumps([SYSTEM, USER, CALL, RESULT])
    given = json.loads(before)
    for name in ("google-gemma-2-2b-it", "mistralai-Mistral-Nemo-Instruct-2407"):
        _fitted(_known(name), *given)
    assert json.dumps(given) == before
