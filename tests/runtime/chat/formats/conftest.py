"""Constraints over the real model's vocabulary, without a text being generated."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from runtime.engine.engine import Engine
from runtime.engine.llama import Llama
from runtime.engine.sampling.grammar import Grammar
from runtime.engine.sampling.lazy_grammar import LazyGrammar
from runtime.engine.sampling.params import SamplingParams
from tests.runtime.chat.formats.grammars import Allows


@pytest.fixture(scope="session")
def allows(engine: Engine) -> Allows:
    """Says what a constraint allows."""
    api, model = Llama.load().api, engine.model

    def is_allowed(params: SamplingParams, text: str) -> bool:
        strict = Grammar.parse(api, model, params.grammar)
        triggers, pause = params.grammar_triggers, params.grammar_pause
        lazy = LazyGrammar(model, strict, triggers, pause) if params.grammar_lazy else strict
        with closing(lazy) as grammar:
            for token in model.tokenize(text, add_special=False, parse_special=False):
                if not grammar.allows(token):
                    return False
                grammar.accept(token)
            return grammar.allows(model.end_tokens[0])

    def allows(constraint: dict[str, Any], accepted: Sequence[str], refused: Sequence[str]) -> None:
        params = SamplingParams(**constraint)
        for text in accepted:
            assert is_allowed(params, text), text
        for text in refused:
            assert not is_allowed(params, text), text

    return allows
