"""The sequence numbers that hold pinned prompts, so that nothing else has to."""

from runtime.engine.pins import Pin, Pins


class Anchors:
    """Which number holds which pinned prompt, and nothing behind it.

    Args:
        pins: What is pinned; a prompt that no longer is has no anchor any more.
    """

    def __init__(self, pins: Pins) -> None:
        self._pins = pins
        self._seq_ids: dict[str, int] = {}

    def seq_ids(self) -> set[int]:
        """Return the numbers that hold what is pinned now."""
        if self._seq_ids:
            current = self._pins.current()
            if self._seq_ids.keys() - current.keys():
                self._seq_ids = {id: one for id, one in self._seq_ids.items() if id in current}
                self._tell()
        return set(self._seq_ids.values())

    def missing(self) -> list[Pin]:
        """Return what is pinned and held by no number."""
        current = self._pins.current()
        return [pin for id, pin in current.items() if id not in self._seq_ids]

    def put(self, pin: Pin, seq_id: int) -> None:
        """Note which number holds a pinned prompt."""
        self._seq_ids[pin.id] = seq_id
        self._tell()

    def give_up(self, seq_id: int) -> None:
        """Let a number be one like any other."""
        if seq_id in self._seq_ids.values():
            self._seq_ids = {id: one for id, one in self._seq_ids.items() if one != seq_id}
            self._tell()

    def _tell(self) -> None:
        self._pins.loaded = frozenset(self._seq_ids)
