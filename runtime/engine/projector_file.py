"""A projector as a file of its own, which is what libmtmd reads one from."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from runtime.engine.weights import Weights

_COPY_BYTES = 1 << 20


@contextmanager
def projector_file(weights: Weights) -> Iterator[Path]:
    """Yield a path under which the projector is a whole file, for as long as it is read.

    One inside a solofile is copied, into memory where the system can, and gone at once.

    Raises:
        OSError: It cannot be read, or there is no room for the copy.
    """
    if weights.offset == 0 and weights.size == weights.path.stat().st_size:
        yield weights.path
    elif hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("projector"), "wb") as copy:
            _copy(weights, copy)
            yield Path(f"/proc/self/fd/{copy.fileno()}")
    else:
        with tempfile.NamedTemporaryFile(suffix=".gguf") as named:
            _copy(weights, named)
            yield Path(named.name)


def _copy(weights: Weights, copy: IO[bytes]) -> None:
    with weights.path.open("rb") as source:
        source.seek(weights.offset)
        left = weights.size
        while left and (part := source.read(min(left, _COPY_BYTES))):
            copy.write(part)
            left -= len(part)
    copy.flush()
