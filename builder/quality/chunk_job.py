"""What a process that computes a text is to do, and watching it; the process is in chunks.py."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from builder import console
from builder.child import Message, run_child
from builder.file_range import FileRange
from builder.native.llamacpp import expose_binding
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


def weights_of(part: Path | FileRange) -> Weights:
    """Return where a model's file lies, as the engine takes it."""
    data = FileRange.of(part)
    return Weights(data.path.absolute(), data.offset, data.size)


def run_chunks(module: str, job: ChunkJob, *, label: str, what: str) -> Iterator[Message]:
    """Run a process that computes a text, show how far it is, and yield what it tells of a chunk.

    Args:
        module: The module, as `run_child` takes it.
        job: What it is to do.
        label: What it does, for people.
        what: What failed where it fails.

    Raises:
        ToolError: It failed.
    """
    expose_binding()
    messages = run_child(module, job, what=what)
    # Loading a model takes a while, and until then nobody knows how many chunks there are.
    first = next(messages)
    with console.progress(label, first.num_chunks, unit_is_bytes=False) as advance:
        for message in messages:
            if message.is_next:
                advance(1)
                yield message
