"""Where requests pass from any thread to the engine's, which may sleep until one comes."""

import threading
from collections import deque

import msgspec

from runtime.engine.embedding import EmbeddingJob
from runtime.engine.limits import QueueFullError
from runtime.engine.sequence import Sequence

Request = Sequence | EmbeddingJob


class Arrivals(msgspec.Struct, frozen=True):
    """What came in since the last batch, and whether the thread is to end."""

    new: list[Request]
    cancelled: list[Request]
    is_last: bool


class Inbox:
    """New and cancelled requests, and how many are unfinished.

    Args:
        max_unfinished: Requests running or waiting at most; None is no limit.
    """

    def __init__(self, max_unfinished: int | None = None) -> None:
        self._max_unfinished = max_unfinished
        self._changed = threading.Condition()
        self._new: deque[Request] = deque()
        self._cancelled: deque[Request] = deque()
        self._unfinished: set[Request] = set()
        self._is_stopping = False

    @property
    def num_unfinished(self) -> int:
        """Requests running or waiting."""
        return len(self._unfinished)

    def put(self, request: Request) -> None:
        """Queue a request.

        Raises:
            QueueFullError: As many as may are unfinished.
        """
        with self._changed:
            limit = self._max_unfinished
            if limit is not None and len(self._unfinished) >= limit:
                raise QueueFullError(len(self._unfinished))
            self._unfinished.add(request)
            self._new.append(request)
            self._changed.notify()

    def cancel(self, request: Request) -> None:
        """Ask for a request's end."""
        with self._changed:
            if request in self._unfinished:
                self._cancelled.append(request)
                self._changed.notify()

    def stop(self) -> None:
        """Ask for the end of the thread."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()

    def take(self, *, wait: bool, timeout_s: float | None = None) -> Arrivals:
        """Return what came in, waiting for something, or so long, if asked."""
        with self._changed:
            if wait:
                self._changed.wait_for(self._has_news, timeout_s)
            arrivals = Arrivals(list(self._new), list(self._cancelled), self._is_stopping)
            self._new.clear()
            self._cancelled.clear()
            return arrivals

    def _has_news(self) -> bool:
        return bool(self._new or self._cancelled or self._is_stopping)

    def forget(self, request: Request) -> None:
        """Note that a request is finished."""
        with self._changed:
            self._unfinished.discard(request)
