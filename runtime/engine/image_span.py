"""Where an image stands in a prompt, and what the model reads there."""

from typing import Any

import msgspec


class ImageSpan(msgspec.Struct, frozen=True, eq=False):
    """Consecutive cells that hold an image, or a tile of one, instead of tokens.

    In the prompt they are negative numbers made of the image's digest, so that equal images are
    equal prompts. A span is computed whole.

    Args:
        start: The place of the first one in the prompt.
        length: How many there are.
        embedding: What the model reads: a ctypes array, float32 [length, n_embd].
        num_positions: How many positions it takes: `length`, or fewer with M-RoPE.
        positions: With M-RoPE, where each cell stands: int32 [4, length]; else None.
        is_causal: Whether a cell sees only those before it, as with text.
    """

    start: int
    length: int
    embedding: Any
    num_positions: int
    positions: Any = None
    is_causal: bool = True

    @property
    def end(self) -> int:
        """The place after the last cell."""
        return self.start + self.length


Images = tuple[ImageSpan, ...]


class Prompt(msgspec.Struct, frozen=True):
    """A text with images as the engine takes it; see `GenerationRequest`.

    Args:
        tokens: Token ids, and what stands for images.
        images: Where images stand.
    """

    tokens: list[int]
    images: Images = ()


def image_at(images: Images, place: int) -> ImageSpan | None:
    """Return the image that begins at a place of the prompt, if one does."""
    return next((span for span in images if span.start == place), None)


def next_edge(images: Images, place: int) -> int | None:
    """Return where the image ends that begins at a place, or else where the next one begins."""
    for span in images:
        if place < span.end:
            return span.end if place == span.start else span.start
    return None


def before_image(images: Images, length: int) -> int:
    """Return how much of a prefix ends in no image's midst."""
    for span in images:
        if span.start < length < span.end:
            return span.start
    return length
