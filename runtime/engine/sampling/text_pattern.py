"""Regular expressions as grammars of a whole text; see `json_pattern` for what is understood."""

from collections.abc import Mapping
from typing import ClassVar

from runtime.engine.sampling.json_grammar import GrammarRules
from runtime.engine.sampling.json_pattern import PatternParser
from runtime.errors import RequestError


def pattern_grammar(pattern: str) -> str:
    """Return the grammar of the texts that a pattern matches from their begin to their end.

    Raises:
        RequestError: The pattern is not valid, or needs what is not supported.
    """
    rules = GrammarRules()
    return rules.text(_TextPattern(rules, pattern, "").whole())


class _TextPattern(PatternParser):
    """Reads a pattern of a text that is spelled as it is."""

    beyond = ""
    spellings: ClassVar[Mapping[int, str]] = {}

    def _error(self, reason: str) -> RequestError:
        return RequestError(f"The pattern cannot be used: it {reason} (character {self._at}).")
