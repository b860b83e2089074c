"""Tests of rendering chat templates."""

from typing import Any

import pytest

from runtime.chat.template import ChatTemplate, Message
from runtime.errors import RequestError, UnsupportedError

MESSAGES = [{"role": "user", "content": "Hi <b>there</b>"}]


def _render(source: str, **arguments: Any) -> str:
    template = ChatTemplate(source, bos_token="<s>", eos_token="</s>")
    return template.render(MESSAGES, arguments=arguments)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "<s>Hi <b>there</b></s>"),
        ("{% for m in messages %}\n  {% if true %}\nx{% break %}{% endif %}{% endfor %}", "x"),
        ("{{ messages[0] | tojson }}", '{"role": "user", "content": "Hi <b>there</b>"}'),
        (
            "{{ {'b': 1, 'a': 'ü'} | tojson(true, sort_keys=true) }}",
            '{"a": "\\u00fc", "b": 1}',
        ),
        ("{{ [1] | tojson(indent=1, separators=('; ', '=')) }}", "[\n 1\n]"),
        ("{% if add_generation_prompt %}go{% endif %}", "go"),
        ("{% generation %}{% set x = 1 %}{{ x }}{% endgeneration %}{{ x is defined }}", "1False"),
        ("{% set n = namespace(self=1) %}{{ n.self }}{{ dict(a=2).a }}", "12"),
        ("{{ tools is none }}{{ documents is none }}", "TrueTrue"),
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


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ namespace(_x=1) }}",
        "{{ dict.mro() }}",
    ],
)
def test_the_sandbox_holds(source: str) -> None:
    """A hostile template reaches neither Python's insides nor our data."""
    with pytest.raises(RequestError, match="refuses"):
        _render(source)


def test_an_invalid_template_is_said() -> None:
    """A template that is no jinja2 is refused with the reason."""
    with pytest.raises(UnsupportedError, match="not valid"):
        _render("{% if %}")


def test_variables_reach_the_template() -> None:
    """Whatever a request names, the template may read; documents, too."""
    source = "{{ enable_thinking }} {{ documents[0].text }}"
    assert _render(source, enable_thinking=False, documents=[{"text": "x"}]) == "False x"


@pytest.mark.parametrize("name", ["messages", "tools", "bos_token", "raise_exception", "range"])
def test_variables_of_the_server_stay(name: str) -> None:
    """What templates get from the server cannot be set from outside."""
    with pytest.raises(RequestError, match=f"chat_template_kwargs sets {name}, which"):
        _render("", **{name: []})


def test_failures_of_any_kind_are_the_requests() -> None:
    """A template that stumbles over the messages is no failure of the server."""
    with pytest.raises(RequestError, match=r"fails on the messages: can only concatenate"):
        _render("{{ messages[0].content + 1 }}")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"content": "It is "}, "[It is "),
        ({"content": [{"type": "text", "text": "It is"}]}, "[It is"),
        ({"content": "", "reasoning_content": "Hm"}, "<Hm"),
    ],
)
def test_the_last_message_may_go_on(last: Message, expected: str) -> None:
    """The prompt ends behind the last message's text, or behind its reasoning."""
    source = (
        "{% for m in messages %}<{{ m.reasoning_content }}>"
        "[{{ m.content if m.content is string else m.content[0].text }}]{% endfor %}"
    )
    template = ChatTemplate(source, bos_token="", eos_token="")
    rendered = template.render_unfinished([*MESSAGES, {"role": "assistant", **last}])
    assert rendered.removeprefix("<>[Hi <b>there</b>]").removeprefix("<>") == expected


def test_a_trimmed_last_message_goes_on_without_its_spaces() -> None:
    """Where the template trims contents, the prompt ends at the last word."""
    template = ChatTemplate("{{ messages[-1].content | trim }}!", bos_token="", eos_token="")
    assert template.render_unfinished([{"role": "assistant", "content": "It is "}]) == "It is"


def test_a_last_message_that_is_not_written_cannot_go_on() -> None:
    """A template that drops the text is said to."""
    template = ChatTemplate("Hello", bos_token="", eos_token="")
    with pytest.raises(RequestError, match="cannot continue this last message"):
        template.render_unfinished([{"role": "assistant", "content": "It is "}])
