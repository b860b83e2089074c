"""Tests of choosing the context's size."""

import pytest

from runtime.engine.context_size import (
    MAX_DEFAULT_N_CTX,
    MIN_N_CTX,
    check_weights_fit,
    choose_n_ctx,
)
from runtime.errors import ResourceError


@pytest.mark.parametrize(
    ("asked", "n_ctx_train", "free_bytes", "expected"),
    [
        (0, 8192, 10**9, 8192),
        (0, 131072, 10**12, MAX_DEFAULT_N_CTX),
        (0, 8192, 4_096_000, 2048),
        (0, 8192, 256_000, MIN_N_CTX),
        (4096, 8192, 10**9, 4096),
        (100_000, 8192, 10**9, 100_000),
    ],
)
def test_the_context_follows_model_and_memory(
    asked: int, n_ctx_train: int, free_bytes: int, expected: int
) -> None:
    """What is asked for is taken; else the model's length, within half of the free memory."""
    chosen = choose_n_ctx(
        asked, n_ctx_train=n_ctx_train, kv_bytes_per_token=1000, free_bytes=free_bytes
    )
    assert chosen == expected


@pytest.mark.parametrize(("asked", "free_bytes"), [(1_000_000, 10**8), (0, 1000), (0, -5)])
def test_too_little_memory_is_said(asked: int, free_bytes: int) -> None:
    """A context that does not fit is refused with what it needs and what to do."""
    with pytest.raises(ResourceError, match=r"tokens needs .* of memory.*--ctx-size"):
        choose_n_ctx(asked, n_ctx_train=8192, kv_bytes_per_token=1000, free_bytes=free_bytes)


def test_weights_larger_than_memory_are_refused() -> None:
    """A model that this machine cannot hold is refused before it is loaded."""
    with pytest.raises(ResourceError, match=r"needs 70\.0 GB .* has 8\.0 GB.*smaller"):
        check_weights_fit(70 * 10**9, 8 * 10**9)
