"""A thread that stays outside the sandbox until a server is up: it starts browsers.

The system's rules hold for a thread and those that it starts. So what must not have them is
started before, and ends when nothing more is to be opened.
"""

import queue
import threading
from collections.abc import Callable

_Task = Callable[[], object]


class Outside:
    """The thread, which does one thing after the other."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="outside", daemon=True)

    @property
    def has_begun(self) -> bool:
        """Whether the thread was started."""
        return self._thread.ident is not None

    def begin(self) -> None:
        """Start the thread; called before the sandbox closes."""
        self._thread.start()

    def do(self, task: _Task) -> None:
        """Have the thread do something, beside everything else."""
        self._tasks.put(task)

    def end(self) -> None:
        """Wait until all is done and the thread has ended, if it was ever started."""
        if self._thread.is_alive():
            self._tasks.put(None)
            self._thread.join()

    def _work(self) -> None:
        while task := self._tasks.get():
            task()


# Where a failed start is told, too.
outside = Outside()
