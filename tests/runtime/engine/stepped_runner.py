"""A runner that computes a batch only when a test says so."""

import threading
from collections.abc import Sequence as ReadOnlyList
from dataclasses import dataclass, field

from runtime.engine.types import BatchSlice
from tests.runtime.engine.fake_runner import FakeRunner

WAIT_S = 10


@dataclass
class SteppedRunner(FakeRunner):
    """Stands still inside each batch until `step` or `let_go`."""

    reached: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    allowed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_free: bool = False

    def decode(self, batch: ReadOnlyList[BatchSlice]) -> None:
        if not self.is_free:
            self.reached.release()
            assert self.allowed.acquire(timeout=WAIT_S), "no test let the batch go"
        super().decode(batch)

    def wait_for_batch(self) -> None:
        """Wait until the engine is inside a batch, which is not in `history` yet."""
        assert self.reached.acquire(timeout=WAIT_S), "no batch came"

    def step(self) -> None:
        """Let the batch be computed, and wait for the next."""
        self.allowed.release()
        self.wait_for_batch()

    def let_go(self) -> None:
        """Compute this batch and all later ones without waiting."""
        self.is_free = True
        self.allowed.release()
