"""Tests of rendering chat templates."""

import pytest

from runtime.chat.template import ChatTemplate
from runtime.errors import RequestError, UnsupportedError

MESSAGES = [{"role": "user", "content": "Hi <b>there</b>"}]


def _render(source: str | None) -> str:
    return ChatTemplate(source, bos_token="<s>", eos_token="</s>").render(MESSAGES)


def test_a_model_without_a_template_gets_chatml() -> None:
    """The default is ChatML, ending where the assistant's answer begins."""
    assert _render(None) == ("<|im_start|>user\nHi <b>there</b><|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "<s>Hi <b>there</b></s>"),
        ("{% for m in messages %}\n  {% if true %}\nx{% break %}{% endif %}{% endfor %}", "x"),
        ("{{ messages[0] | tojson }}", '{"role": "user", "content": "Hi <b>there</b>"}'),
        ("{% if add_generation_prompt %}go{% endif %}", "go"),
    ],
)
def test_templates_render_as_with_hugging_face(source: str, expected: str) -> None:
    """Trimmed blocks, loop controls, plain `tojson` and the known variables."""
    assert _render(source) == expected


def test_the_date_is_at_hand() -> None:
    """`strftime_now` gives today's date."""
    assert _render("{{ strftime_now('%Y') }}").isdigit()


def test_a_template_may_refuse() -> None:
    """What a template raises is the client's mistake, with the template's words."""
    with pytest.raises(RequestError, match="roles must alternate"):
        _render("{{ raise_exception('roles must alternate') }}")


@pytest.mark.parametrize("source", ["{{ ''.__class__.__mro__ }}", "{{ messages.append(1) }}"])
def test_the_sandbox_holds(source: str) -> None:
    """A hostile template reaches neither Python's insides nor our data."""
    with pytest.raises(RequestError, match="refuses"):
        _render(source)


def test_an_invalid_template_is_said() -> None:
    """A template that is no jinja2 is refused with the reason."""
    with pytest.raises(UnsupportedError, match="not valid"):
        _render("{% if %}")
