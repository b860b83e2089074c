"""The thread that stays outside the sandbox."""

import threading
from functools import partial

from runtime.desktop.outside import Outside


def test_it_does_all_in_order_and_ends() -> None:
    """On one thread that was there before, and it is gone afterwards."""
    outside = Outside()
    assert not outside.has_begun
    outside.begin()
    done: list[tuple[int, threading.Thread]] = []
    for number in range(3):
        outside.do(partial(lambda one: done.append((one, threading.current_thread())), number))
    outside.end()
    assert outside.has_begun
    assert [number for number, _ in done] == [0, 1, 2]
    (thread,) = {thread for _, thread in done}
    assert thread is not threading.current_thread()
    assert not thread.is_alive()


def test_the_end_of_one_that_never_began() -> None:
    """Nothing is waited for, once or twice."""
    outside = Outside()
    outside.end()
    outside.begin()
    outside.end()
    outside.end()
