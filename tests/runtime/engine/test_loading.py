"""Tests of what an engine may be started with."""

from pathlib import Path
from typing import Any

import pytest

from runtime.engine.loading import EngineOptions
from runtime.engine.weights import Weights
from runtime.errors import UsageError


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"max_running": 0}, "parallel is 0, and must lie from 1 to 248"),
        ({"max_running": 249}, "parallel is 249"),
        ({"n_batch": 11}, "batch-size is 11, and must lie from 12"),
        ({"n_ubatch": 0}, "ubatch-size is 0"),
        ({"n_ctx": -1}, "ctx-size is -1"),
        ({"n_threads": -2}, "threads is -2"),
        ({"n_threads_batch": -2}, "threads-batch is -2"),
        ({"max_queue": -1}, "max-queue is -1"),
        ({"n_ctx": 2**31}, "ctx-size is 2147483648"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers: dict[str, Any], words: str) -> None:
    """Each is named as its setting, with what it may be."""
    with pytest.raises(UsageError, match=words):
        EngineOptions(Weights(Path("model.gguf"), 0, 1), **numbers)
