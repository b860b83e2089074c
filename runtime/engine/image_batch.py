"""An image as a batch of its own, which llama.cpp takes instead of tokens."""

import ctypes
from collections.abc import Iterator
from typing import Any

from runtime.engine.image_span import ImageSpan


def image_batches(
    api: Any, image: ImageSpan, *, seq_id: int, position: int, n_batch: int
) -> Iterator[Any]:
    """Yield the `llama_batch`es of an image: one, or several where it is causal and long.

    Args:
        api: The functions and structures of llama.h.
        image: The image; one that is not causal fits into `n_batch`.
        seq_id: The sequence's number in the KV cache.
        position: That of its first cell; with M-RoPE the image knows its own.
        n_batch: Cells in one batch at most.
    """
    row_bytes = ctypes.sizeof(image.embedding) // image.length
    for begin in range(0, image.length, n_batch):
        count = min(n_batch, image.length - begin)
        yield api.llama_batch(
            n_tokens=count,
            token=None,
            embd=ctypes.cast(
                ctypes.addressof(image.embedding) + begin * row_bytes,
                ctypes.POINTER(ctypes.c_float),
            ),
            pos=_positions(image, position, begin, count),
            n_seq_id=(ctypes.c_int32 * count)(*[1] * count),
            seq_id=_seq_ids(seq_id, count),
            logits=(ctypes.c_int8 * count)(),
        )


def _positions(image: ImageSpan, position: int, begin: int, count: int) -> Any:
    if image.positions is None:
        return (ctypes.c_int32 * count)(*range(position + begin, position + begin + count))
    parts = (
        image.positions[section * image.length + begin : section * image.length + begin + count]
        for section in range(len(image.positions) // image.length)
    )
    return (ctypes.c_int32 * (len(image.positions) // image.length * count))(
        *(place for part in parts for place in part)
    )


def _seq_ids(seq_id: int, count: int) -> Any:
    number = ctypes.pointer(ctypes.c_int32(seq_id))
    return (ctypes.POINTER(ctypes.c_int32) * count)(*[number] * count)
