"""Texts from a model or a file, made harmless for a terminal."""

_KEPT = "\n\t"
# The pictures of C0 characters; those of C1 have none. A carriage return would write over a line.
_VISIBLE = {code: 0x2400 + code for code in range(0x20) if chr(code) not in _KEPT}
_VISIBLE |= {0x7F: 0x2421, **dict.fromkeys(range(0x80, 0xA0), 0xFFFD)}
# A lone surrogate cannot be written.
_VISIBLE |= dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
del _VISIBLE[0x0D]


def harmless(text: str) -> str:
    """Return a text whose control characters are shown instead of obeyed."""
    return text.replace("\r", "").translate(_VISIBLE)
