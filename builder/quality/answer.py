"""Whether what a model answered is an answer: numbers, words, and not the same for ever."""

import json
import math
from collections.abc import Sequence

import msgspec

PROMPT = "What is the capital of France?"
# A cycle of so many tokens at most is a loop, once the answer is so many tokens long.
_LONGEST_CYCLE = 4
_LEAST_TOKENS = 12
_QUOTED_CHARACTERS = 60


class _Line(msgspec.Struct, frozen=True):
    """What `run --json` prints of some tokens."""

    text: str
    tokens: list[int]
    logprobs: list[float | None]


def read_answer(output: str) -> str:
    """Return the text of an answer to `PROMPT`.

    Args:
        output: What `run --json` printed.

    Raises:
        ValueError: It is no answer; the message says why, to follow after `but`.
    """
    try:
        lines = [msgspec.json.decode(line, type=_Line) for line in output.splitlines()]
    except msgspec.DecodeError as error:
        raise ValueError(f"its answer to {PROMPT!r} was {_quoted(output)}") from error
    if not all(_is_number(value) for line in lines for value in line.logprobs):
        raise ValueError(
            "its model computes no numbers, but NaN or infinity: its weights are damaged, or "
            "were converted or quantized wrongly"
        )
    text = "".join(line.text for line in lines).strip()
    tokens = [token for line in lines for token in line.tokens]
    if not tokens:
        # The likeliest token of one whose numbers are NaN, or all the same, is often an end.
        raise ValueError(
            f"its answer to {PROMPT!r} ends before the first word: its weights may be damaged"
        )
    if _loops(tokens):
        raise ValueError(
            f"its answer to {PROMPT!r} repeats itself from the first word on: {_quoted(text)}"
        )
    if not any(character.isalnum() for character in text):
        raise ValueError(f"its answer to {PROMPT!r} was {_quoted(text)}: is this a chat model?")
    return text


def read_embedding(output: str) -> str:
    """Return an embedding as it was printed.

    Args:
        output: What `embed` printed: a list of numbers, or one for each token.

    Raises:
        ValueError: It is none; the message says why, to follow after `but`.
    """
    try:
        values = json.loads(output)
        rows = values if isinstance(values[0], list) else [values]
    except (ValueError, TypeError, LookupError) as error:
        raise ValueError(f"its embedding was {_quoted(output)}") from error
    if not all(_is_number(value) for row in rows for value in row):
        raise ValueError("its embedding has values that are no numbers, but NaN or infinity")
    if not all(any(row) for row in rows):
        raise ValueError("its embedding is zero everywhere")
    return output


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _loops(tokens: Sequence[int]) -> bool:
    """Say whether a few tokens come again and again, with nothing before them."""
    return len(tokens) >= _LEAST_TOKENS and any(
        tokens[length:] == tokens[:-length] for length in range(1, _LONGEST_CYCLE + 1)
    )


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]} ...")
