"""Tests of the marks that stand for images while a conversation is written as text."""

import pytest

from runtime.chat.images import MAX_IMAGES, MarkedImages, image_part, text_part
from runtime.errors import RequestError

CONTENT = [text_part("a "), image_part(b"one"), image_part(b"two"), text_part(" b")]


def test_images_come_back_where_their_marks_stand() -> None:
    """Messages without images stay, and a template may write the others in any order."""
    plain = {"role": "system", "content": "abc"}
    images = MarkedImages([plain, {"role": "user", "content": CONTENT}])
    assert images.messages[0] is plain
    text = images.messages[1]["content"]
    assert images.parts(f"<{text}>") == ["<a ", b"one", "", b"two", " b>"]
    assert images.shown(text) == "a <__media__><__media__> b"


def test_a_mark_cannot_be_guessed() -> None:
    """Each conversation has marks of its own."""
    first, second = (MarkedImages([{"content": CONTENT}]) for _ in range(2))
    with pytest.raises(RequestError, match="leaves out an image"):
        second.parts(first.messages[0]["content"])


def test_a_template_that_leaves_an_image_out() -> None:
    """It is not answered as if it had been seen."""
    images = MarkedImages([{"content": CONTENT}])
    with pytest.raises(RequestError, match="leaves out an image"):
        images.parts(images.messages[0]["content"].replace("n1e", ""))


def test_too_many_images() -> None:
    """Their number is told."""
    content = [image_part(b"")] * (MAX_IMAGES + 1)
    with pytest.raises(RequestError, match="There are 17 images"):
        MarkedImages([{"content": content}])
