"""How the vectors of an input's tokens become its embedding, in llama.cpp's words."""

from enum import IntEnum

from runtime.errors import UsageError


class Pooling(IntEnum):
    """What is taken of an input's token vectors; the values are llama.cpp's."""

    NONE = 0
    MEAN = 1
    CLS = 2
    LAST = 3
    RANK = 4

    @property
    def label(self) -> str:
        """The name that people write."""
        return self.name.lower()


def pooling_of(number: int) -> Pooling | None:
    """Return the pooling with a header's number; None for one that nobody knows."""
    return next((pooling for pooling in Pooling if pooling == number), None)


def parse_pooling(label: str) -> Pooling | None:
    """Return the pooling that `label` names; None for the empty text.

    Raises:
        UsageError: There is no such pooling.
    """
    if not label:
        return None
    try:
        return Pooling[label.upper()]
    except KeyError:
        known = ", ".join(sorted(pooling.label for pooling in Pooling))
        raise UsageError(f"{label} is no pooling.", hint=f"The poolings are {known}.") from None
