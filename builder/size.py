"""Sizes as people write them."""

import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B?", re.IGNORECASE)
_UNITS = " KMGT"


def parse_size(text: str) -> int | None:
    """Return the bytes that a text like `8GB` or `7.5GiB` means; None where it means none."""
    match = _SIZE.fullmatch(text.strip())
    if not match or not float(match[1]):
        return None
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** _UNITS.index(match[2].upper() or " "))
