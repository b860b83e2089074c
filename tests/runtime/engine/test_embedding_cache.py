"""Tests of which images' embeddings are kept."""

import ctypes
from typing import Any

from runtime.engine.embedding_cache import EmbeddingCache


def test_the_least_recently_used_go() -> None:
    """What was asked for again stays; a single one may be larger than the limit."""
    made: list[str] = []

    def make(name: str, count: int) -> Any:
        made.append(name)
        return (ctypes.c_float * count)()

    cache = EmbeddingCache(max_bytes=100)
    for name, count in (("a", 10), ("b", 10), ("a", 10), ("c", 10), ("a", 10), ("b", 10)):
        cache.get(name, lambda name=name, count=count: make(name, count))  # type: ignore[misc]
    assert made == ["a", "b", "c", "b"]
    large = cache.get("d", lambda: make("d", 100))
    assert cache.get("d", lambda: make("d", 100)) is large
