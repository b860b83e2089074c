"""Tests of patterns of a whole text, with llama.cpp's sampler and the real model's vocabulary."""

import pytest

from runtime.engine.sampling.text_pattern import pattern_grammar
from runtime.errors import RequestError
from tests.runtime.engine.sampling.conftest import Matches


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("yes|no", ["yes", "no"], ["y", "yes!", "maybe", ""]),
        ("^ab$", ["ab"], ["xab", "abx"]),
        (r"((25[0-5]|2[0-4]\d|[01]?\d\d?)\.){3}\d", ["127.0.0.1", "9.9.9.9"], ["256.0.0.1", "1.1"]),
        (r'"\n\\', ['"\n\\'], ['\\"\n\\']),
        (".*", ["", 'a "b" \\ é😀'], ["a\nb"]),
        (r"[^a-z]+", ["A\t1\n"], ["Aa"]),
    ],
)
def test_a_pattern_is_of_the_whole_text(
    matches: Matches, pattern: str, good: list[str], bad: list[str]
) -> None:
    """It matches from begin to end, and the text is spelled as it is, not as JSON."""
    grammar = pattern_grammar(pattern)
    for text in good:
        assert matches(grammar, text), text
    for text in bad:
        assert not matches(grammar, text), text


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(b", r"The pattern cannot be used: it has a \( without a \).*character 3"),
        (r"\bword", "has the escape"),
        ("(?=a)", "has a group that begins with"),
    ],
)
def test_a_pattern_that_cannot_be_used(pattern: str, reason: str) -> None:
    """The error says what is wrong, and where."""
    with pytest.raises(RequestError, match=reason):
        pattern_grammar(pattern)
