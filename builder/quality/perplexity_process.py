"""The process that measures how well a model foretells a text."""

from typing import Any

import numpy as np

from builder.child import Message, read_job, tell, telling_outcome
from builder.native.llamacpp import expose_binding
from builder.quality.chunk_job import ChunkJob
from builder.quality.chunks import chunk_reader
from runtime.errors import AppError


def main() -> None:
    """Do the job that stands on stdin."""
    job = read_job(ChunkJob)
    expose_binding()
    with telling_outcome():
        _measure(job)


def _measure(job: ChunkJob) -> None:
    with chunk_reader(job) as reader:
        chunks = reader.chunks(job.text, job.max_chunks)
        tell(Message(num_chunks=len(chunks)))
        for chunk in chunks:
            # The second half alone counts, for whose tokens there is enough to go by.
            first = len(chunk) // 2
            logits = reader.compute(chunk, first)
            shape = (len(chunk) - first, reader.model.n_vocab)
            losses = _losses(np.ctypeslib.as_array(logits, shape)[:-1], chunk[first + 1 :])
            if not np.isfinite(losses).all():
                raise AppError("the model computes no numbers, but NaN or infinity")
            tell(Message(is_next=True, losses=losses.tolist()))


def _losses(logits: Any, tokens: list[int]) -> Any:
    """Return the negative log likelihood of each token.

    Args:
        logits: float32 [tokens, n_vocab], what stands before each.
        tokens: The ones that came.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    sums = np.exp(shifted).sum(axis=1, dtype=np.float64)
    return np.log(sums) - shifted[np.arange(len(tokens)), tokens]


if __name__ == "__main__":
    main()
