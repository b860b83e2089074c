"""The tokens to choose from, as llama.cpp's samplers take them."""

import ctypes
from typing import Any


class Candidates:
    """One array for all of a vocabulary, filled anew for each choice; used by one thread.

    Args:
        api: llama.cpp's structures.
        n_vocab: How many tokens there are.
    """

    def __init__(self, api: Any, n_vocab: int) -> None:
        self._api = api
        self._n_vocab = n_vocab
        self._candidates = (api.llama_token_data * n_vocab)()
        self._ids = memoryview((ctypes.c_int32 * n_vocab)(*range(n_vocab))).cast("B").cast("i")

    def fill(self, logits: Any) -> Any:
        """Return the array with every token and its logit.

        Args:
            logits: float32 [n_vocab], a pointer.
        """
        api = self._api
        # A candidate is an id, a logit and a probability, of four bytes each. Copied with a
        # stride, 150,000 of them take less than a millisecond; one by one they would take fifty.
        raw = memoryview(self._candidates).cast("B")
        values = (ctypes.c_float * self._n_vocab).from_address(ctypes.addressof(logits.contents))
        raw.cast("i")[0::3] = self._ids
        raw.cast("f")[1::3] = memoryview(values).cast("B").cast("f")
        return api.llama_token_data_array(
            ctypes.cast(self._candidates, api.llama_token_data_p), self._n_vocab, -1, False
        )


def probabilities(array: Any) -> dict[int, float]:
    """Return the probabilities of the tokens that a chain left in an array, by token."""
    size = array.size
    raw = memoryview(ctypes.string_at(array.data, size * ctypes.sizeof(array.data.contents)))
    return dict(zip(raw.cast("i")[0::3], raw.cast("f")[2::3], strict=True))
