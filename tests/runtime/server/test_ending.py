"""Tests of when a server ends by itself."""

import asyncio

import pytest

from runtime.server import ending as module
from runtime.server.ending import Ending


class Clock:
    """Stands for the time of day."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time, which tests move on."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def _is_due(ending: Ending, running: int = 0, requests: int = 0, *, loading: bool = False) -> bool:
    return ending.is_due(running, requests, is_loading=loading)


def test_most_servers_wait_forever(clock: Clock) -> None:
    """Without a limit no silence is too long."""
    ending = Ending()
    clock.now = 1e9
    assert not _is_due(ending)
    assert not ending.waits_for_use


def test_silence_ends_it(clock: Clock) -> None:
    """The time counts from the last sign of use: a running request, a new one, or the loading."""
    ending = Ending(idle_s=10)
    clock.now = 100
    assert not _is_due(ending, loading=True)
    clock.now = 200
    assert not _is_due(ending, running=1)
    clock.now = 300
    assert not _is_due(ending, requests=1)
    clock.now = 309
    assert not _is_due(ending, requests=1)
    clock.now = 310
    assert _is_due(ending, requests=1)


def test_it_ends_when_asked() -> None:
    """Whoever is still served."""
    ending = Ending()
    ending.ask()
    assert _is_due(ending, running=3)


def test_a_failed_one_ends_sooner(clock: Clock) -> None:
    """It waits a minute for its page to be read, or less where less was set."""
    never, long, short = Ending(), Ending(idle_s=600), Ending(idle_s=2)
    for ending in (never, long, short):
        ending.has_failed()
    clock.now = 2
    assert [_is_due(ending) for ending in (never, long, short)] == [False, False, True]
    clock.now = module.FAILED_IDLE_S
    assert _is_due(never)
    assert _is_due(long)


def test_held_pages_are_let_go() -> None:
    """What waits for the end is told of it."""

    async def wait() -> None:
        ending = Ending()
        waiting = asyncio.ensure_future(ending.wait_until_begun())
        await asyncio.sleep(0)
        assert not waiting.done()
        ending.begin()
        await asyncio.wait_for(waiting, 1)

    asyncio.run(wait())
