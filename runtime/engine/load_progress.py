"""How far the weights have come into memory."""

from runtime import machine
from runtime.engine.weights import LoadOptions, Weights

# Below this, nothing may have been copied yet, or ever be.
_LEAST = 0.01
_MOST = 0.99


class LoadProgress:
    """Watches weights that are copied; mapping them takes no time that could be told.

    llama.cpp would tell more exactly, by a callback for each tensor. But each call waits for the
    lock of an interpreter that is busy importing, which made loading 135 million parameters
    1.4 s longer.

    Args:
        weights: What is loaded.
        options: How.
    """

    def __init__(self, weights: Weights, options: LoadOptions) -> None:
        self._size = weights.size if options.repack or not options.mmap else 0
        self._before = machine.anonymous_bytes()

    @property
    def share(self) -> float | None:
        """The share that is there, from 0 to 1; None where that is not known."""
        now = machine.anonymous_bytes()
        if not self._size or now is None or self._before is None:
            return None
        share = (now - self._before) / self._size
        return min(share, _MOST) if share >= _LEAST else None
