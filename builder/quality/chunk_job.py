"""What a process that computes a text is to do; the process is in chunks.py."""

from pathlib import Path

import msgspec

from runtime.engine.weights import Weights


class ChunkJob(msgspec.Struct, frozen=True, kw_only=True):
    """What to compute.

    Args:
        parts: The model, or all of its parts in order.
        text: The text.
        max_chunks: How many chunks of it at most; 0 takes all.
        n_threads: How many threads; 0 takes all physical cores.
    """

    parts: list[Weights]
    text: str
    max_chunks: int = 0
    n_threads: int = 0


class CalibrateJob(ChunkJob, frozen=True, kw_only=True):
    """What to compute, the file to write, and what the text is called there."""

    output: Path
    dataset: str
