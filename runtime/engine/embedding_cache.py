"""What images were read as lately, so that a conversation about one does not read it each time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from ctypes import sizeof
from typing import Any

# 50 images of 256 tokens for a model of 2560 numbers each.
MAX_BYTES = 128 << 20


class EmbeddingCache:
    """Embeddings by what they were made from; the least recently used go.

    Args:
        max_bytes: How much they may take; the last one stays however large it is.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._embeddings: OrderedDict[Hashable, Any] = OrderedDict()
        self._num_bytes = 0

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the ctypes array under a key, made now if it is not there."""
        if key in self._embeddings:
            self._embeddings.move_to_end(key)
            return self._embeddings[key]
        embedding = self._embeddings[key] = make()
        self._num_bytes += sizeof(embedding)
        while self._num_bytes > self._max_bytes and len(self._embeddings) > 1:
            _, oldest = self._embeddings.popitem(last=False)
            self._num_bytes -= sizeof(oldest)
        return embedding
