"""Marks in a request: what stands before one is to stay in memory for a while."""

from typing import Literal

import msgspec

_SECONDS = {"5m": 300, "1h": 3600}


class CacheControl(msgspec.Struct):
    """A mark."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"

    @property
    def seconds(self) -> int:
        """How long it holds."""
        return _SECONDS[self.ttl]


class Markable(msgspec.Struct, kw_only=True):
    """What may have a mark at its end."""

    cache_control: CacheControl | None = None
