"""Numbers between bounds, as expressions of a grammar."""

from collections.abc import Iterable

# As many as JSON's rule for numbers has.
_MAX_DIGITS = 16

_FRACTION = "fraction?"
_ZERO_FRACTION = '( "." "0"{1,16} )?'
_SOME_FRACTION = '"." "0"{0,15} [1-9] [0-9]{0,15}'


def integers(low: int | None, high: int | None) -> str:
    """Return the expression of the integers from `low` to `high`; None is no bound."""
    ways = []
    if low is None or low < 0:
        below = -1 if high is None or high >= 0 else high
        ways += [f'"-" {way}' for way in _magnitudes(-below, None if low is None else -low)]
    if high is None or high >= 0:
        ways += _magnitudes(max(0, low or 0), high)
    return " | ".join(ways)


def numbers(low: int | None, high: int | None, *, is_low_open: bool, is_high_open: bool) -> str:
    """Return the expression of the numbers between two bounds.

    Args:
        low: The lowest; None is no bound.
        high: The highest; None is no bound.
        is_low_open: Whether the lowest itself is excluded.
        is_high_open: Whether the highest itself is excluded.
    """
    ways: list[str] = []
    if low is None or low < 0:
        top = -low if low is not None else None
        # There is no negative zero.
        nearest, is_open = (-high, is_high_open) if high is not None and high < 0 else (0, True)
        ways += [f'"-" {way}' for way in _reals(nearest, top, is_open, is_low_open)]
    if high is None or high >= 0:
        nearest, is_open = (low, is_low_open) if low is not None and low >= 0 else (0, False)
        ways += _reals(nearest, high, is_open, is_high_open)
    return " | ".join(ways)


def _reals(low: int, high: int | None, is_low_open: bool, is_high_open: bool) -> Iterable[str]:
    """Yield expressions of the numbers from `low`, at least 0, to `high`."""
    if is_low_open and (high is None or low < high):
        yield f'"{low}" {_SOME_FRACTION}'
    for way in _magnitudes(low + is_low_open, None if high is None else high - 1):
        yield f"{way} {_FRACTION}"
    if high is not None and not is_high_open and (low < high or not is_low_open):
        yield f'"{high}" {_ZERO_FRACTION}'


def _magnitudes(low: int, high: int | None) -> list[str]:
    """Return expressions of the integers from `low`, at least 0, to `high`."""
    if high is None:
        high = 10 ** max(_MAX_DIGITS, len(str(low)) + 1) - 1
    ways = []
    for num_digits in range(len(str(low)), len(str(high)) + 1):
        first = max(low, 10 ** (num_digits - 1) if num_digits > 1 else 0)
        last = min(high, 10**num_digits - 1)
        if first <= last:
            ways.append(_same_length(str(first), str(last)))
    return ways


def _same_length(first: str, last: str) -> str:
    """Return the expression of the digits from `first` to `last`."""
    rest = len(first) - 1
    if not first:
        return ""
    if first[0] == last[0]:
        return f'"{first[0]}" {_same_length(first[1:], last[1:])}'.rstrip()
    ways = []
    low, high = int(first[0]), int(last[0])
    if first[1:] != "0" * rest:
        ways.append(f'"{low}" {_same_length(first[1:], "9" * rest)}')
        low += 1
    tail = []
    if last[1:] != "9" * rest:
        tail.append(f'"{high}" {_same_length("0" * rest, last[1:])}')
        high -= 1
    if low <= high:
        ways.append(f"[{low}-{high}] [0-9]{{{rest}}}" if rest else f"[{low}-{high}]")
    ways += tail
    return f"( {' | '.join(ways)} )" if len(ways) > 1 else ways[0]
