"""Tests of the names and numbers of poolings."""

import pytest

from runtime.engine.pooling import Pooling, parse_pooling, pooling_of
from runtime.errors import UsageError


def test_names() -> None:
    """Every pooling is found by its name; nothing asks for none of them."""
    assert [parse_pooling(pooling.label) for pooling in Pooling] == list(Pooling)
    assert parse_pooling("") is None
    with pytest.raises(UsageError, match=r"max is no pooling\..*cls, last, mean, none, rank"):
        parse_pooling("max")


def test_numbers() -> None:
    """A header's number is llama.cpp's; others mean nothing."""
    assert [pooling_of(number) for number in (0, 1, 4)] == [
        Pooling.NONE,
        Pooling.MEAN,
        Pooling.RANK,
    ]
    assert pooling_of(9) is None
