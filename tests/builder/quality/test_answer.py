"""Judging answers: what is one, and what is none."""

import json
import re

import pytest

from builder.quality.answer import read_answer, read_embedding


def lines(tokens: list[int], text: str = "word ", logprob: float | None = -0.5) -> str:
    """Return what `run --json` prints for one token after the other."""
    return "\n".join(
        json.dumps({"text": text, "tokens": [token], "logprobs": [logprob]}) for token in tokens
    )


@pytest.mark.parametrize(
    "tokens",
    [
        [1],
        [7] * 11,  # Too short to be sure.
        [5] + [7] * 23,
        [1, 2, 3, 4, 5] * 5,
        [7] * 20 + [5],
        list(range(24)),
    ],
)
def test_answers(tokens: list[int]) -> None:
    """A short one, one that begins or ends otherwise, or repeats a sentence, is one."""
    assert read_answer(lines(tokens)) == ("word " * len(tokens)).strip()


@pytest.mark.parametrize("cycle", [[7], [1, 2], [1, 2, 3], [1, 1, 2, 3]])
def test_loops(cycle: list[int]) -> None:
    """A short cycle from the first token on is none, wherever it is cut."""
    for length in (12, 23, 24):
        with pytest.raises(ValueError, match="repeats itself from the first word on: 'word word"):
            read_answer(lines((cycle * 24)[:length]))


@pytest.mark.parametrize(
    "output", [lines([1, 2], logprob=None), '{"text":"a","tokens":[1],"logprobs":[null]}']
)
def test_no_numbers(output: str) -> None:
    """A token whose likelihood is no number shows that the model computes none."""
    with pytest.raises(ValueError, match="its model computes no numbers, but NaN or infinity"):
        read_answer(output)


@pytest.mark.parametrize(
    "output", [lines([1], text=""), lines([1, 2], text=" \n"), lines([3], text="?!")]
)
def test_nothing_said(output: str) -> None:
    """Silence, spaces and signs are no answer."""
    with pytest.raises(ValueError, match=r"its answer to 'What is .*' was '.*': is this a chat"):
        read_answer(output)


def test_an_end_at_once() -> None:
    """No token at all hints at the weights."""
    with pytest.raises(ValueError, match="ends before the first word: its weights may be damaged"):
        read_answer("")


def test_something_else() -> None:
    """What is no JSON is shown, and not all of it."""
    with pytest.raises(ValueError, match=re.escape(f"was '{'x' * 60} ...'")):
        read_answer("x" * 1000)


@pytest.mark.parametrize("output", ["[0.5, -1, 0]", "[[0.5, 0], [0, 1]]", "[-3.5]"])
def test_embeddings(output: str) -> None:
    """One vector, or one for each token."""
    assert read_embedding(output) == output


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("[0.5, NaN]", "has values that are no numbers"),
        ("[null, null]", "has values that are no numbers"),
        ("[Infinity, 1]", "has values that are no numbers"),
        ("[0, 0.0, -0.0]", "is zero everywhere"),
        ("[[1, 2], [0, 0]]", "is zero everywhere"),
        ("[]", r"was '\[\]'"),
        ("", "was ''"),
        ("Paris", "was 'Paris'"),
        ("7", "was '7'"),
    ],
)
def test_no_embeddings(output: str, sentence: str) -> None:
    """What is none is told."""
    with pytest.raises(ValueError, match=sentence):
        read_embedding(output)
