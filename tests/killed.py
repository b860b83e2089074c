"""Processes that are killed at a moment that is chosen, and not at some time."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

# It runs as many lines as this machine has processes.
_UNCOUNTED = "builder.change.running"
_COUNT_BYTES = 8


def killed_at_line(work: Callable[[], object], number: int | None) -> int:
    """Do work in a copy of this process, which ends by SIGKILL before a line of Python.

    Args:
        work: The work.
        number: Which line, counted from 0 over the builder's and the runtime's; None lets it go on
            to its end.

    Returns:
        How many lines it came to; 0 where it was killed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, -1 if number is None else number, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if number is None:
        assert status == 0, f"the child failed, with status {status}"
    return int.from_bytes(told, "little")


def _work(work: Callable[[], object], number: int, writing: int) -> None:
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] not in ("builder", "runtime") or name == _UNCOUNTED:
            return None
        if event == "line":
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
        return trace

    code = 1
    try:
        sys.settrace(trace)
        work()
        sys.settrace(None)
        os.write(writing, count.to_bytes(_COUNT_BYTES, "little"))
        code = 0
    finally:
        os._exit(code)
