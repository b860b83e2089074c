"""Texts of the characters that the tiny models' vocabulary has."""

import random
from pathlib import Path

import numpy as np

from tests.runtime.engine.tiny_llama import CHARACTERS, SPECIAL

_LETTERS = CHARACTERS[1:]


def write_text(path: Path, num_characters: int) -> Path:
    """Write a text in which some characters come more often; the same each time."""
    choose = random.Random(3)
    weights = range(1, len(_LETTERS) + 1)
    path.write_text("".join(choose.choices(_LETTERS, weights, k=num_characters)), encoding="utf-8")
    return path


def chunks_of(text: Path, size: int = 512) -> np.ndarray:
    """Return the tokens of its whole chunks, int [chunks, size], as a tiny model sees them."""
    first = len(SPECIAL)
    characters = [first, *(first + CHARACTERS.index(one) for one in text.read_text("utf-8"))]
    tokens = np.array([1, *characters])
    chunks = tokens[: len(tokens) // size * size].reshape(-1, size).copy()
    chunks[:, 0] = 1
    return chunks
