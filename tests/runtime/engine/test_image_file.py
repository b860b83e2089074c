"""Tests of which bytes are decoded as an image."""

import zlib

import pytest

from runtime.engine.image_bitmap import decoded_image
from runtime.engine.image_file import MAX_PIXELS, ImageSize, check_inflated, check_kind, check_size
from runtime.engine.llama import Llama
from runtime.errors import RequestError
from tests.images import png, png_of

GIF = bytes.fromhex("47494638396101000100800000ff0000ffffff2c00000000010001000002024401003b")
BMP = bytes.fromhex(
    "424d3a0000000000000036000000280000000100000001000000010018000000000004000000"
    "130b0000130b000000000000000000000000ff00"
)


@pytest.mark.parametrize(("data", "size"), [(png(1, 24, 9), (24, 9)), (GIF, (1, 1)), (BMP, (1, 1))])
def test_images_are_decoded(binding: None, data: bytes, size: tuple[int, int]) -> None:
    """A PNG, a GIF and a BMP become bitmaps of their size."""
    api = Llama.load().vision_api()
    with decoded_image(api, data) as bitmap:
        assert (api.mtmd_bitmap_get_nx(bitmap), api.mtmd_bitmap_get_ny(bitmap)) == size


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "of no known kind"),
        (b"<svg/>", "of no known kind"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "of no known kind"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP, which is not read"),
        (b"ID3\x04", "of no known kind"),
    ],
)
def test_other_kinds_are_refused(data: bytes, reason: str) -> None:
    """Nothing else comes near the decoder: neither sounds nor films nor other images."""
    with pytest.raises(RequestError, match=reason):
        check_kind(data)


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [(MAX_PIXELS, 2, "at most 33554432 are read"), (101, 1, "may be 100 times the other")],
)
def test_large_and_thin_images_are_refused(width: int, height: int, reason: str) -> None:
    """Their shape is told."""
    with pytest.raises(RequestError, match=f"{width} x {height} pixels.*{reason}"):
        check_size(ImageSize(width, height))


def test_a_large_image_is_refused_by_its_header(binding: None) -> None:
    """Nothing of it is unpacked."""
    api = Llama.load().vision_api()
    with (
        pytest.raises(RequestError, match="9000 x 9000 pixels"),
        decoded_image(api, png_of(9000, 9000, b"")),
    ):
        pass


def test_a_png_that_unpacks_to_too_much_is_refused() -> None:
    """Its header tells of few pixels, and its data would fill the memory."""
    size = ImageSize(8, 8)
    check_inflated(png_of(8, 8, bytes(8 * 25)), size)
    with pytest.raises(RequestError, match="unpacks to more than its pixels"):
        check_inflated(png_of(8, 8, bytes(100_000_000)), size)


@pytest.mark.parametrize("length", [0, 20, 40, 60, 100, 150])
def test_a_cut_png_is_refused(binding: None, length: int) -> None:
    """Wherever it is cut, there is one sentence, and nobody else tries to read it."""
    data = png(1)[:length]
    with (
        pytest.raises(RequestError, match="An image "),
        decoded_image(Llama.load().vision_api(), data),
    ):
        pass


def test_damaged_data_are_refused(binding: None) -> None:
    """What is not packed at all is told."""
    data = png(1).replace(zlib.compress(b"")[:2], b"\xff\xff")
    with (
        pytest.raises(RequestError, match="An image cannot be read"),
        decoded_image(Llama.load().vision_api(), data),
    ):
        pass
