"""Icons for macOS, read back by another library."""

import struct
import zlib

import icnsutil
import pytest

from builder.macos.icns import SIZES, icns
from tests.tiny_icon import png


def square(width: int, height: int = 0) -> bytes:
    """Return a grey PNG."""
    height = height or width
    rows = (b"\0" + b"\x80" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_of_each_size(size: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It is there unchanged, under the type of that size."""
    picture = icns(square(size))
    assert picture is not None
    path = tmp_path_factory.mktemp("icns") / "icon.icns"
    path.write_bytes(picture)
    icon = icnsutil.IcnsFile(str(path))
    ((kind, data),) = icon.media.items()
    assert data == square(size)
    assert icnsutil.IcnsType.get(kind).size == (size, size)
    assert not list(icon.verify(str(path)))


def test_other_pictures_are_no_icons() -> None:
    """A pixel, and what is not square."""
    assert icns(png()) is None
    assert icns(square(128, 64)) is None
