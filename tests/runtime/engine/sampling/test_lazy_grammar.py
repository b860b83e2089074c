"""Tests of grammars that wait for a trigger, with the real model."""

import re
from contextlib import closing
from typing import Any

import pytest

from runtime.engine.engine import Engine
from runtime.engine.llama import Llama
from runtime.engine.sampling.grammar import Grammar
from runtime.engine.sampling.lazy_grammar import LazyGrammar
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sampling.trigger import GrammarTrigger, TriggerPause
from runtime.errors import RequestError
from tests.runtime.engine.asking import ask, submit

# Counts on; each of the next 16 tokens leads the second likeliest by 3 units or more, and rounding
# moves a logit of this model by 1 or 2 at most.
PROMPT = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10,"


def _lazy(grammar: str, *triggers: GrammarTrigger) -> dict[str, Any]:
    return {"grammar": grammar, "grammar_lazy": True, "grammar_triggers": triggers}


@pytest.fixture(scope="module")
def free(engine: Engine) -> str:
    """What the model writes when it is free."""
    return ask(engine, PROMPT, temperature=0, max_tokens=16)


def test_the_text_is_free_without_a_trigger(engine: Engine, free: str) -> None:
    """Where no trigger comes, nothing is constrained."""
    lazy = _lazy('root ::= "x"', GrammarTrigger("never said"))
    assert ask(engine, PROMPT, temperature=0, max_tokens=16, **lazy) == free


@pytest.mark.parametrize("length", [1, 3, 5])
def test_a_word_begins_the_grammar(engine: Engine, free: str, length: int) -> None:
    """A word may begin and end inside of tokens; it is the grammar's beginning."""
    word = free[3 : 3 + length]
    before = free[: free.index(word)]
    grammar = f'root ::= "{word}" [^\\x00]{{0,12}} "!" [0-9]{{2}}'
    lazy = _lazy(grammar, GrammarTrigger("unsaid"), GrammarTrigger(word))
    asked = submit(engine, PROMPT, temperature=0, max_tokens=30, **lazy)
    text = asked.text()
    assert text.startswith(before + word)
    assert asked.finished.reason == "stop"
    assert re.search(r"![0-9]{2}$", text)


def test_a_token_begins_the_grammar(engine: Engine, free: str) -> None:
    """A token, too, is the beginning of the grammar."""
    first = engine.model.tokenize(PROMPT + free, add_special=True, parse_special=True)
    prompt = engine.model.tokenize(PROMPT, add_special=True, parse_special=True)
    token = first[len(prompt) + 1]
    piece = engine.model.piece(token).decode()
    lazy = _lazy(f'root ::= "{piece}" "yes"', GrammarTrigger(token=token))
    text = ask(engine, PROMPT, temperature=0, max_tokens=20, **lazy)
    assert text.endswith(piece + "yes")


def test_a_trigger_that_the_grammar_forbids_fails_alone(engine: Engine, free: str) -> None:
    """The request fails with a reason, and the process lives."""
    lazy = _lazy('root ::= "no such text"', GrammarTrigger(free[2:4]))
    with pytest.raises(RequestError, match="does not begin with the text that triggered it"):
        ask(engine, PROMPT, temperature=0, **lazy)
    assert ask(engine, PROMPT, temperature=0, max_tokens=16) == free


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        (_lazy("", GrammarTrigger("a")), "needs a grammar"),
        (_lazy('root ::= "a"'), "needs grammar_triggers"),
        (_lazy('root ::= "a"', GrammarTrigger()), "an empty word"),
        (_lazy('root ::= "a"', GrammarTrigger("a" * 1001)), "over 1000 characters"),
        (_lazy('root ::= "a"', *[GrammarTrigger("a")] * 65), "over 64 triggers"),
    ],
)
def test_a_lazy_grammar_needs_triggers(params: dict[str, Any], reason: str) -> None:
    """What is missing or too much is said."""
    with pytest.raises(RequestError, match=reason):
        SamplingParams(**params)


def test_a_token_that_goes_on_otherwise_is_no_trigger(engine: Engine) -> None:
    """Where the token that ends the word has more than the grammar allows, the text stays free."""
    lazy = LazyGrammar(
        engine.model,
        Grammar.parse(Llama.load().api, engine.model, 'root ::= "Hel" "p"'),
        [GrammarTrigger("Hel")],
    )
    with closing(lazy):
        (hello,) = engine.model.tokenize("Hello", add_special=False, parse_special=False)
        (helping,) = engine.model.tokenize("Help", add_special=False, parse_special=False)
        lazy.accept(hello)
        assert lazy.allows(hello)
        lazy.accept(helping)
        assert not lazy.allows(hello)


@pytest.mark.parametrize(
    ("pause", "text", "is_free"),
    [
        (TriggerPause("<think>", "</think>"), " <think> go </think> ", True),
        (TriggerPause("<think>", "</think>"), "<think> go </think> go", False),
        (TriggerPause("<think>", "</think>"), "<th go", False),
        (TriggerPause("", "</think>"), "go <think> go", True),
        (TriggerPause("", "</think>"), "a</think>go", False),
        (None, "<think> go", False),
    ],
)
def test_a_pause_hides_triggers(
    engine: Engine, pause: TriggerPause | None, text: str, is_free: bool
) -> None:
    """They are looked for behind it, or at once if the text does not begin with it."""
    grammar = Grammar.parse(Llama.load().api, engine.model, 'root ::= "go" "!"')
    tokens = engine.model.tokenize(text, add_special=False, parse_special=False)
    with closing(LazyGrammar(engine.model, grammar, [GrammarTrigger("go")], pause)) as lazy:
        for token in tokens:
            lazy.accept(token)
        assert lazy.allows(tokens[0]) == is_free
