"""Work in threads that stops together."""

import threading
from collections.abc import Callable

import pytest

from builder.workers import MAX_WORKERS, work_side_by_side


def test_all_is_done_and_told_in_this_thread() -> None:
    """More pieces than threads are done, and progress comes to the one that asked."""
    here = threading.current_thread()
    told = []
    done = []

    def advance(amount: int) -> None:
        assert threading.current_thread() is here
        told.append(amount)

    def work(tell: Callable[[int], None]) -> None:
        tell(2)
        tell(3)
        done.append(threading.current_thread())

    work_side_by_side([work] * (3 * MAX_WORKERS), advance)
    assert sum(told) == 5 * 3 * MAX_WORKERS
    assert len(done) == 3 * MAX_WORKERS
    assert here not in done


def test_a_failure_stops_the_others() -> None:
    """The others end at their next word, what was not begun never is, and the error comes out."""
    is_waiting = threading.Event()
    begun = []

    def endless(tell: Callable[[int], None]) -> None:
        begun.append("endless")
        while True:
            is_waiting.set()
            tell(1)

    def failing(tell: Callable[[int], None]) -> None:
        begun.append("failing")
        is_waiting.wait()
        raise ValueError("broken")

    before = threading.active_count()
    with pytest.raises(ValueError, match="broken"):
        work_side_by_side([endless] * (MAX_WORKERS - 1) + [failing, endless], lambda _: None)
    assert threading.active_count() == before
    assert len(begun) == MAX_WORKERS
