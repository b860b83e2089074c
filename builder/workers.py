"""Several pieces of slow work at once, that stop together."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence

MAX_WORKERS = 4
# What is in the middle of a system call when the others fail ends with the program.
_FAREWELL_S = 1.0

Work = Callable[[Callable[[int], None]], None]


class _StoppedError(Exception):
    """Another piece of the work failed, or the user gave up."""


def work_side_by_side(works: Sequence[Work], advance: Callable[[int], None]) -> None:
    """Do pieces of work in threads, at most four at once.

    Args:
        works: Each takes a function that is told its progress, and may be stopped by calling that.
        advance: Told all progress, in this thread.

    Raises:
        Exception: What the first piece that failed raised; the others are stopped.
    """
    crew = _Crew(works)
    threads = [threading.Thread(target=crew.run, daemon=True) for _ in works[:MAX_WORKERS]]
    for thread in threads:
        thread.start()
    try:
        for amount in crew.progress(len(works)):
            advance(amount)
    finally:
        crew.is_over.set()
        for thread in threads:
            thread.join(_FAREWELL_S)


class _Crew:
    """What the threads share: the work, and what they tell of it."""

    def __init__(self, works: Sequence[Work]) -> None:
        self.is_over = threading.Event()
        self._todo: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[int | Exception | None] = queue.SimpleQueue()
        for work in works:
            self._todo.put(work)

    def run(self) -> None:
        try:
            while not self.is_over.is_set():
                self._todo.get_nowait()(self._tell)
                self._told.put(None)
        except queue.Empty:
            pass
        except Exception as error:
            self._told.put(error)

    def progress(self, num_works: int) -> Iterator[int]:
        while num_works:
            news = self._told.get()
            if isinstance(news, Exception):
                raise news
            if news is None:
                num_works -= 1
            else:
                yield news

    def _tell(self, amount: int) -> None:
        if self.is_over.is_set():
            raise _StoppedError
        self._told.put(amount)
