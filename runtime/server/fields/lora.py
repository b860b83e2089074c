"""The `lora` field of requests."""

from collections.abc import Iterable

import msgspec

from runtime.server.json import Integer


class LoraScale(msgspec.Struct):
    """How strongly an adapter is applied."""

    id: Integer
    scale: float = 0.0


def lora_scales(asked: Iterable[LoraScale] | None) -> dict[int, float] | None:
    """Return scales by adapter number; None where a request leaves the choice to the server."""
    return {one.id: one.scale for one in asked} if asked else None
