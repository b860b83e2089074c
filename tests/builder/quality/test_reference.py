"""How logits and vectors are compared."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from builder.quality import reference


def log(*likelihoods: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return one row of logits with these likelihoods, moved by some constant."""
    return np.log(np.array([likelihoods], np.float32)) + 7


def test_the_divergence() -> None:
    """It is that of the textbook, whatever is added to all logits, summed over rows."""
    original, other = log(0.5, 0.25, 0.25), log(0.25, 0.25, 0.5) - 30
    expected = 0.5 * math.log(2) + 0.25 * math.log(0.5)
    assert reference.sum_of_divergences(original, other) == pytest.approx(expected)
    rows = np.concatenate([original, original]), np.concatenate([other, original])
    assert reference.sum_of_divergences(*rows) == pytest.approx(expected)


def test_large_logits() -> None:
    """Logits whose exponential no float holds are compared all the same."""
    original = np.array([[3000.0, 2999.0]], np.float32)
    assert reference.sum_of_divergences(original, original + 500) == pytest.approx(0)


def test_a_padded_vocabulary() -> None:
    """What one side alone has does not count."""
    original, padded = log(0.75, 0.25), log(0.75, 0.25, 9.0)
    assert reference.sum_of_divergences(original, padded) == pytest.approx(0, abs=1e-6)
    assert reference.same_choices(original, padded) == 1


def test_the_likeliest_tokens() -> None:
    """Rows are counted in which the same token is the likeliest."""
    original = np.array([[1, 2, 0], [5, 1, 1], [0, 0, 1]], np.float32)
    other = np.array([[1, 9, 0], [1, 5, 1], [0, 0, 3]], np.float32)
    assert reference.same_choices(original, other) == 2


@pytest.mark.parametrize(
    ("pooling", "vector"), [("mean", [2, 3]), ("cls", [1, 2]), ("last", [3, 4])]
)
def test_pooling(pooling: str, vector: list[float]) -> None:
    """A text's vector is made of its tokens' as the pooling says."""
    states = np.array([[1, 2], [3, 4]], np.float32)
    assert reference.pooled(states, pooling).tolist() == vector


def test_the_pooling_of_a_checkpoint(tmp_path: Path) -> None:
    """It stands where sentence-transformers writes it, or nowhere."""
    assert not reference.own_pooling(tmp_path)
    (tmp_path / "1_Pooling").mkdir()
    facts = {"word_embedding_dimension": 384, "pooling_mode_cls_token": True}
    (tmp_path / "1_Pooling/config.json").write_text(json.dumps(facts), encoding="utf-8")
    assert reference.own_pooling(tmp_path) == "cls"
