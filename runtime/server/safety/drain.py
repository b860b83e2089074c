"""The time between a wish to end and the end: running answers finish, new ones are refused."""

import time

from starlette.types import Scope

from runtime.server.errors import RETRY_AFTER_S
from runtime.server.safety.refusal import Refusal

_REFUSAL = Refusal(
    503,
    "unavailable_error",
    "The server is shutting down.",
    ((b"retry-after", str(RETRY_AFTER_S).encode()), (b"connection", b"close")),
)


class Drain:
    """Whether the server is ending, and for how long it waits.

    Args:
        timeout_s: Seconds that running answers get.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._ends_at: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the server is ending."""
        return self._ends_at is not None

    def begin(self) -> None:
        """Refuse new requests from now on."""
        self._ends_at = time.monotonic() + self._timeout_s

    def is_over(self, num_running: int) -> bool:
        """Say whether nothing is left to wait for, or no time."""
        if self._ends_at is None:
            return False
        return not num_running or time.monotonic() >= self._ends_at

    def __call__(self, scope: Scope) -> Refusal | None:
        """Return a refusal for whatever comes too late, `/health` too."""
        return _REFUSAL if self.has_begun else None
