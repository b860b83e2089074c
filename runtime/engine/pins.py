"""Prompts that are to stay in memory: which, for how long, and how many may."""

import hashlib
import threading
import time
from enum import StrEnum

import msgspec

from runtime.engine.adapters import NO_ADAPTERS, AdapterSet
from runtime.errors import RequestError

# Each takes a sequence number, of which `loading.NUM_CACHED_SEQUENCES` are there for finished ones.
MAX_PINS = 4
# One is left for a baked prompt.
MAX_ASKED = 3


class PinSource(StrEnum):
    """Why a prompt stays: it was built in, a client asked for it, or does so from time to time."""

    BAKED = "baked"
    ASKED = "request"
    BRIEF = "cache_control"


class Pin(msgspec.Struct, frozen=True):
    """A prompt that stays.

    Args:
        id: Names it, by a digest of all but its source.
        tokens: The prompt.
        adapters: What it is computed with.
        source: Why it stays.
        until: When that ends, by the monotonic clock; None for never.
    """

    id: str
    tokens: list[int]
    adapters: AdapterSet
    source: PinSource
    until: float | None = None


class PinError(RequestError):
    """A prompt cannot be pinned, or not be released."""


class Pins:
    """The prompts that stay; used by all threads.

    All but the baked ones take at most half of what those leave of the context, so that there is
    room for what is asked. Brief ones give way to others, the one asked for longest ago first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pins: dict[str, Pin] = {}
        # What the engine's thread has in memory just now.
        self.loaded: frozenset[str] = frozenset()

    def current(self) -> dict[str, Pin]:
        """Return what stays now, by its name, the one asked for longest ago first."""
        with self._lock:
            return dict(self._unexpired())

    def keep(self, tokens: list[int], adapters: AdapterSet, n_ctx: int) -> Pin:
        """Let a prompt stay until it is released.

        Raises:
            PinError: There is no room for it.
        """
        pin = _pin(tokens, adapters, PinSource.ASKED)
        with self._lock:
            known = self._unexpired().get(pin.id)
            if known and known.source is PinSource.BAKED:
                return known
            asked = [
                one
                for one in self._pins.values()
                if one.source is PinSource.ASKED and one.id != pin.id
            ]
            if len(asked) >= MAX_ASKED:
                raise PinError(
                    f"{len(asked)} prompts are pinned already, and no more can be.",
                    hint="Release one of them first.",
                )
            left = self._room(n_ctx) - sum(len(one.tokens) for one in asked)
            if len(tokens) > left:
                raise PinError(
                    f"The prompt has {len(tokens)} tokens, and of the context's {n_ctx} "
                    f"{max(0, left)} are left to be pinned.",
                    hint="Release other prompts, or start with a larger --ctx-size.",
                )
            self._add(pin, n_ctx)
            return pin

    def keep_baked(self, tokens: list[int], n_ctx: int) -> None:
        """Let a prompt stay that was built in, however long it is."""
        with self._lock:
            self._add(_pin(tokens, NO_ADAPTERS, PinSource.BAKED), n_ctx)

    def keep_for(self, tokens: list[int], adapters: AdapterSet, seconds: float, n_ctx: int) -> None:
        """Let a prompt stay for a while, where there is room; one that it goes on from is freed."""
        pin = _pin(tokens, adapters, PinSource.BRIEF, time.monotonic() + seconds)
        with self._lock:
            if len(tokens) > self._room(n_ctx):
                return
            for one in list(self._unexpired().values()):
                if one.adapters != adapters:
                    continue
                if one.source is PinSource.BRIEF:
                    if tokens[: len(one.tokens)] == one.tokens:
                        del self._pins[one.id]
                elif one.tokens[: len(tokens)] == tokens:
                    return
            self._add(pin, n_ctx)

    def release(self, id: str) -> bool:
        """Let a prompt go; says whether it was there.

        Raises:
            PinError: It is built in.
        """
        with self._lock:
            known = self._unexpired().get(id)
            if known and known.source is PinSource.BAKED:
                raise PinError("The prompt is built in, and stays.")
            return self._pins.pop(id, None) is not None

    def _unexpired(self) -> dict[str, Pin]:
        now = time.monotonic()
        for pin in list(self._pins.values()):
            if pin.until is not None and pin.until <= now:
                del self._pins[pin.id]
        return self._pins

    def _room(self, n_ctx: int) -> int:
        """Return how many tokens may be pinned beside the baked ones."""
        return max(0, n_ctx - self._num_tokens(PinSource.BAKED)) // 2

    def _num_tokens(self, *sources: PinSource) -> int:
        return sum(len(pin.tokens) for pin in self._pins.values() if pin.source in sources)

    def _add(self, pin: Pin, n_ctx: int) -> None:
        """Put a prompt behind the others, and let go of those that there is no room for."""
        self._pins.pop(pin.id, None)
        self._pins[pin.id] = pin
        while self._num_tokens(PinSource.ASKED, PinSource.BRIEF) > self._room(n_ctx):
            if not self._release_oldest(PinSource.BRIEF):
                break
        while len(self._pins) > MAX_PINS:
            if not self._release_oldest(PinSource.BRIEF):
                self._release_oldest(PinSource.BAKED)

    def _release_oldest(self, source: PinSource) -> bool:
        id = next((pin.id for pin in self._pins.values() if pin.source is source), None)
        if id is not None:
            del self._pins[id]
        return id is not None


def _pin(
    tokens: list[int], adapters: AdapterSet, source: PinSource, until: float | None = None
) -> Pin:
    digest = hashlib.sha256(repr((tokens, adapters)).encode()).hexdigest()
    return Pin(f"prompt-{digest[:16]}", tokens, adapters, source, until)
