"""Grammars over the real model's vocabulary, without a text being generated."""

from collections.abc import Callable
from contextlib import closing

import pytest

from runtime.engine.engine import Engine
from runtime.engine.llama import Llama
from runtime.engine.sampling.grammar import Grammar

Matches = Callable[[str, str], bool]


@pytest.fixture(scope="session")
def matches(engine: Engine) -> Matches:
    """Says whether a text is the whole of what a grammar allows, by llama.cpp's own sampler."""
    api, model = Llama.load().api, engine.model

    def matches(source: str, text: str) -> bool:
        with closing(Grammar.parse(api, model, source)) as grammar:
            tokens = model.tokenize(text, add_special=False, parse_special=False)
            assert b"".join(map(model.piece, tokens)) == text.encode(), "all of it has tokens"
            for token in tokens:
                if not grammar.allows(token):
                    return False
                grammar.accept(token)
            return grammar.allows(model.end_tokens[0])

    return matches
