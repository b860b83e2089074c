"""Tests of templates that would take all time or memory."""

import json
import subprocess
import sys
from collections import ChainMap

import pytest

from runtime.chat.template import ChatTemplate
from runtime.errors import RequestError

HOSTILE = {
    "loops in loops": (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    ),
    "a loop's test": (
        "{% for a in range(99999) if range(99999) | list | sort | first %}{% endfor %}"
    ),
    "macros": (
        "{% macro m(n) %}{{ m(n + 1) if n < 60 }}{{ m(n + 1) if n < 60 }}{% endmacro %}{{ m(1) }}"
    ),
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "recursive loop": "{% for x in [[1], [1]] recursive %}{{ loop([[1], [1]]) }}{% endfor %}",
    "output": "{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}",
    "output in a block": (
        "{% set x %}{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}{% endset %}"
    ),
    "multiplied text": "{{ 'x' * 10 ** 10 }}",
    "multiplied list": "{% set x = [0] * 10 ** 10 %}",
    "doubled text": (
        "{% set n = namespace(x='xx') %}{% for a in range(99) %}"
        "{% set n.x = n.x ~ n.x %}{% endfor %}"
    ),
    "added text": (
        "{% set n = namespace(x='xx') %}{% for a in range(99) %}"
        "{% set n.x = n.x + n.x %}{% endfor %}"
    ),
    "power": "{{ 10 ** (10 ** 10) }}",
    "squared numbers": (
        "{% set n = namespace(x=9) %}{% for a in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}"
    ),
    "long division": "{{ ('f' * 4000000) | int(base=16) // ('f' * 2000000) | int(base=16) }}",
    "padded": "{{ 'x'.ljust(10 ** 10) }}",
    "padded number": "{{ (1).to_bytes(10 ** 10, 'big') }}",
    "centered": "{{ 'x' | center(9999999999) }}",
    "indented": "{{ ('\n' * 99999) | indent(99999) }}",
    "tabs": "{{ ('\t' * 99999).expandtabs(99999) }}",
    "replaced": "{{ ('x' * 99999).replace('x', 'y' * 99999) }}",
    "filtered": "{{ ('x' * 99999) | replace('x', 'y' * 99999) }}",
    "joined": "{{ ('y' * 99999).join('x' * 99999) }}",
    "joined by a filter": "{{ range(99999) | join('y' * 99999) }}",
    "joined copies": "{{ (['y' * 99] * 99999) | join }}",
    "translated": "{{ ('x' * 99999).translate({120: 'y' * 99999}) }}",
    "percent": "{{ '%9999999999d' % 1 }}",
    "percent star": "{{ '%*d' % (9999999999, 1) }}",
    "format filter": "{{ '%9999999999d' | format(1) }}",
    "format": "{{ '{:9999999999}'.format(1) }}",
    "nested format": "{{ '{:{}}'.format(1, 9999999999) }}",
    "repeated format": "{{ ('{0}' * 99999).format('y' * 99999) }}",
    "tower of lists": (
        "{% set n = namespace(x=[1]) %}{% for a in range(99) %}"
        "{% set n.x = [n.x, n.x] %}{% endfor %}"
        "{{ n.x | tojson }}"
    ),
    "tower of dicts": (
        "{% set n = namespace(x={}) %}{% for a in range(99) %}"
        "{% set n.x = dict(a=n.x, b=n.x) %}{% endfor %}{{ n.x }}"
    ),
    "tower of namespaces": (
        "{% set n = namespace(x=1) %}{% for a in range(99) %}"
        "{% set n.x = namespace(a=n.x, b=n.x) %}{% endfor %}{{ n.x }}{{ 'x' * 9999999 }}"
    ),
    "tower of arguments": (
        "{% set n = namespace(x=1) %}{% macro m() %}{% set n.x = varargs %}{% endmacro %}"
        "{% for a in range(99) %}{{ m(n.x, n.x) }}{% endfor %}{{ n.x }}"
    ),
    "summed lists": "{{ ([[0] * 999] * 9999) | sum(start=[]) }}",
    "rounded": "{{ 1.5 | round(999999999) }}",
    "indented JSON": "{{ ([[0] * 9999] * 99) | tojson(indent=99999) }}",
    "separated JSON": "{{ ([0] * 99999) | tojson(separators=('y' * 99999, ':')) }}",
    "lists of text": "{% for a in range(99) %}{% set x = ('x ' * 999999).split() %}{% endfor %}",
    "words": "{{ lipsum(n=99999) }}",
}
RENDER_ALL = """
import json, resource, sys, time
from runtime.chat import template_limits
from runtime.chat.template import ChatTemplate
from runtime.errors import RequestError

templates = json.load(sys.stdin)
template_limits.MAX_SECONDS = 1.0
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
for name, source in templates.items():
    begin = time.monotonic()
    try:
        ChatTemplate(source, bos_token="", eos_token="").render([])
        outcome = "rendered"
    except RequestError as error:
        outcome = str(type(error.__cause__))
        if time.monotonic() - begin > 5:
            outcome = "slow"
    print(json.dumps({name: outcome}), flush=True)
"""


def test_hostile_templates_end() -> None:
    """Each is refused soon and in less than 1 GiB, before Python runs out of memory."""
    process = subprocess.run(
        [sys.executable, "-c", RENDER_ALL],
        input=json.dumps(HOSTILE),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    outcomes = ChainMap(*map(json.loads, process.stdout.splitlines()))
    by_python = {
        "recursion": "RecursionError",
        "recursive loop": "RecursionError",
        "words": "UndefinedError",
    }
    for name in HOSTILE:
        refused_by = by_python.get(name, "LimitError")
        assert refused_by in outcomes.get(name, f"no answer: {process.stderr}"), name


def test_the_reason_is_told() -> None:
    """The client learns what the template does."""
    template = ChatTemplate("{{ 'x' * 10 ** 8 }}", bos_token="", eos_token="")
    with pytest.raises(RequestError, match="more than 8388608 characters or elements at once"):
        template.render([])


def test_a_long_chat_is_no_attack() -> None:
    """Two thousand messages of two thousand characters each are within every limit."""
    messages = [{"role": "user", "content": f"{number} " * 400} for number in range(2000)]
    source = (
        "{% for m in messages %}{% set text = m.content | trim %}"
        "{% if '</think>' in text %}{% set text = text.split('</think>')[-1] %}{% endif %}"
        "{{ '<|im_start|>' + m.role + '\n' ~ text + '<|im_end|>\n' }}{% endfor %}"
        "{{ messages | tojson | length }}"
    )
    text = ChatTemplate(source, bos_token="", eos_token="").render(messages)
    assert len(text) > 3_000_000


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 'No. 12345: %s {\"a\": {\"b\": 1}}' % 'x' }}", 'No. 12345: x {"a": {"b": 1}}'),
        ("{{ '{{\"n\": \"{}\", 20250}}'.format('x') }}", '{"n": "x", 20250}'),
        ("{{ '%5.1f' % 2.25 }}{{ '%05d' | format(7) }}", "  2.200007"),
        ("{{ [1, 2] + [3] }}{{ (1, 'a') }}{{ {'a': [1]} }}", "[1, 2, 3](1, 'a'){'a': [1]}"),
        ("{{ 2 ** 10 }}{{ 2 * 'ab' }}{{ 7 // 2 }}{{ [1.5, 2] | sum }}", "1024abab33.5"),
        ("{% for x in [1, 2, 3] if x > 1 %}{{ loop.index }}{{ loop.last }}{% endfor %}",
         "1False2True"),
        ("{{ 'a' ~ 1 ~ none }}{{ ['a', 'b'] | join(', ') }}{{ ', '.join(['a', 'b']) }}",
         "a1Nonea, ba, b"),
    ],
)  # fmt: skip
def test_limits_change_no_text(source: str, expected: str) -> None:
    """What counts calls and values gives back what there was."""
    assert ChatTemplate(source, bos_token="", eos_token="").render([]) == expected
