"""When the server ends by itself: the page asked for it, or nobody has used it for long."""

import asyncio
import time

# A page that shows why the model could not be loaded may be closed before long.
FAILED_IDLE_S = 60.0


class Ending:
    """Whether the server is to end by itself.

    Attributes:
        can_be_asked: Whether its page may end it.
        outlives_failure: Whether it stays to tell on its page that loading failed.

    Args:
        idle_s: Seconds without a request after which it ends; None: never.
        can_be_asked: See above.
        outlives_failure: See above.
    """

    def __init__(
        self,
        *,
        idle_s: float | None = None,
        can_be_asked: bool = False,
        outlives_failure: bool = False,
    ) -> None:
        self._idle_s = idle_s
        self.can_be_asked = can_be_asked
        self.outlives_failure = outlives_failure
        self._is_asked = False
        self._used_at = time.monotonic()
        self._num_requests = 0
        self._begun = asyncio.Event()

    @property
    def waits_for_use(self) -> bool:
        """Whether it matters to it that a page is open."""
        return self._idle_s is not None

    def ask(self) -> None:
        """End, once the answer to this wish is sent."""
        self._is_asked = True

    def begin(self) -> None:
        """Let go of the pages that are held on to, for the server is ending."""
        self._begun.set()

    async def wait_until_begun(self) -> None:
        """Wait for the end."""
        await self._begun.wait()

    def has_failed(self) -> None:
        """Wait for no further use, since there can be none."""
        self._idle_s = min(self._idle_s or FAILED_IDLE_S, FAILED_IDLE_S)

    def is_due(self, num_running: int, num_requests: int, *, is_loading: bool) -> bool:
        """Say whether to end now.

        Args:
            num_running: Requests that are being answered, those of open pages among them.
            num_requests: All that ever came.
            is_loading: Whether the model is not there yet; that is waited for.
        """
        now = time.monotonic()
        if num_running or is_loading or num_requests != self._num_requests:
            self._used_at = now
        self._num_requests = num_requests
        is_idle = self._idle_s is not None and now - self._used_at >= self._idle_s
        return self._is_asked or is_idle
