"""Images for a scheduler without a model: numbers whose place in an image can be told."""

from runtime.engine.image_span import Images, ImageSpan

_STEP = 100


def fake_image(number: int) -> list[int]:
    """Return what stands for an image; its number tells how long it is."""
    return [-(_STEP * number + place) for place in range(1, number + 2)]


def image_spans(tokens: list[int]) -> Images:
    """Return where a prompt's images stand."""
    begins = [
        (start, -token // _STEP)
        for start, token in enumerate(tokens)
        if token < 0 and -token % _STEP == 1
    ]
    return tuple(ImageSpan(start, number + 1, None, number + 1) for start, number in begins)


def without_part(tokens: list[int]) -> list[int]:
    """Return tokens without a part of an image at their end."""
    spans = image_spans(tokens)
    if spans and spans[-1].end > len(tokens):
        return tokens[: spans[-1].start]
    return tokens
