"""What says whether constraints allow answers."""

from collections.abc import Sequence
from typing import Any, Protocol


class Allows(Protocol):
    """Checks what a constraint allows, by llama.cpp's own sampler."""

    def __call__(
        self, constraint: dict[str, Any], accepted: Sequence[str], refused: Sequence[str]
    ) -> None:
        """Check answers which it must accept, and others which it must not."""
