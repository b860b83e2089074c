"""Tests of text constrained by a grammar, with the real model."""

import json
import re
from typing import Any

import pytest

from runtime.engine.engine import Engine
from runtime.engine.sampling.json_grammar import JSON_OBJECT
from runtime.errors import RequestError
from tests.runtime.engine.asking import ask, submit

STORY = "Once upon a time there was"
DATE = r"""root ::= year "-" [01] [0-9]
year ::= [12] [0-9]{3}"""


@pytest.mark.parametrize("sampling", [{"temperature": 0}, {"seed": 1}, {"seed": 2, "mirostat": 2}])
def test_the_text_is_what_the_grammar_says(engine: Engine, sampling: dict[str, Any]) -> None:
    """However it is sampled, the text fits, and it ends where the grammar ends."""
    asked = submit(engine, STORY, grammar=DATE, **sampling)
    text = "".join(delta.text for delta in asked.deltas())
    assert re.fullmatch(r"[12]\d{3}-[01]\d", text)
    assert asked.finished.reason == "stop"


def test_a_text_at_its_end_ends_whatever_else_is_asked(engine: Engine) -> None:
    """Where the grammar allows nothing more, neither `ignore_eos` nor `min_tokens` goes on."""
    assert ask(engine, STORY, grammar='root ::= "yes"', ignore_eos=True, min_tokens=9) == "yes"


@pytest.mark.parametrize("seed", range(4))
def test_json_is_json(engine: Engine, seed: int) -> None:
    """A text under the grammar of JSON is an object that a parser reads."""
    prompt = "A person as JSON with name, age and friends: "
    asked = submit(engine, prompt, grammar=JSON_OBJECT, seed=seed, max_tokens=120)
    text = asked.text()
    assert text.startswith("{")
    if asked.finished.reason == "stop":
        assert isinstance(json.loads(text), dict)


def test_neighbours_are_not_constrained(engine: Engine) -> None:
    """A grammar holds for its own request alone."""
    constrained = submit(engine, STORY, temperature=0, grammar=DATE)
    assert not set(ask(engine, STORY, temperature=0, max_tokens=6)) <= set("0123456789-")
    assert len(constrained.text()) == 7


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ("root ::= (", "not valid: "),
        ("root ::= missing", "Undefined rule identifier 'missing'"),
        ('first ::= "a"', "no rule named root"),
        ('root ::= root "a"', "left recursion"),
        ("root ::= " + "(" * 5000 + '"a"' + ")" * 5000, "nests parentheses"),
        ('root ::= "a\0"', "zero byte"),
        ("x" * 200_001, "longer than"),
    ],
)
def test_a_bad_grammar_fails_alone(engine: Engine, grammar: str, reason: str) -> None:
    """The request gets the reason, and the engine goes on."""
    with pytest.raises(RequestError, match=re.escape(reason)):
        ask(engine, STORY, grammar=grammar)
    assert ask(engine, STORY, max_tokens=1, temperature=0)


def test_a_grammar_that_leads_nowhere_fails(engine: Engine) -> None:
    """Where every allowed token is banned, the request fails and the process lives."""
    letters = [
        (token, float("-inf"))
        for token in range(engine.model.n_vocab)
        if engine.model.piece(token) in (b"q", b"qq")
    ]
    with pytest.raises(RequestError, match="allows none"):
        ask(engine, STORY, grammar='root ::= "qq"', logit_bias=tuple(letters))


def test_literal_parentheses_do_not_nest(engine: Engine) -> None:
    """Parentheses in texts and classes are not counted."""
    grammar = 'root ::= "a"' + "".join(' | "("' for _ in range(150)) + " | [(] # ((("
    assert ask(engine, STORY, grammar=grammar) in ("a", "(")
