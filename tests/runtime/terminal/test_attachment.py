"""Tests of files that go with a message."""

from pathlib import Path

import pytest

from runtime.errors import RequestError
from runtime.terminal.attachment import read_attachment
from tests.images import png


def test_a_text_is_fenced(tmp_path: Path) -> None:
    """With its name, and with a longer mark than any in it."""
    path = tmp_path / "notes.md"
    path.write_bytes(b"\xef\xbb\xbf```\ncode\n```\n")
    shown = read_attachment(path, takes_images=False)
    assert shown == "notes.md:\n````\n```\ncode\n```\n````\n"


def test_an_image_is_a_part(tmp_path: Path) -> None:
    """Where the model sees; where it does not, that is said."""
    path = tmp_path / "a.png"
    path.write_bytes(png(4, 4))
    parts = read_attachment(path, takes_images=True)
    assert isinstance(parts, list)
    assert parts[1] == {"type": "image", "data": path.read_bytes()}
    with pytest.raises(RequestError, match="sees none"):
        read_attachment(path, takes_images=False)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xff\x00\xfe", "neither a text"), (b"a\0b", "no text"), (None, "cannot be read: No such")],
)
def test_what_cannot_be_attached(data: bytes | None, said: str, tmp_path: Path) -> None:
    """Is refused in one sentence."""
    path = tmp_path / "x"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(RequestError, match=said):
        read_attachment(path, takes_images=True)
