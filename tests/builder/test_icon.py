"""Icons: what is taken, and what is refused with a sentence."""

from pathlib import Path

import pytest

from builder.icon import MAX_BYTES, IconFile, checked_icon, read_icon
from runtime.errors import UsageError
from tests.tiny_icon import SVG, png

PATH = Path("icon")
# As drawing programs write it: a document type, elements of their own, a link inside, a picture.
DRAWN = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
     xmlns:i="http://www.inkscape.org/namespaces/inkscape">
  <i:grid units="px"/><title>A leaf</title>
  <defs><path id="leaf" d="M0 0L8 8"/></defs><use xlink:href="#leaf"/>
  <image href="data:image/png;base64,AA=="/>
</svg>"""


@pytest.mark.parametrize(
    ("data", "name"), [(SVG, "icon.svg"), (DRAWN, "icon.svg"), (png(), "icon.png")]
)
def test_a_picture(tmp_path: Path, data: bytes, name: str) -> None:
    """It is told by its bytes, whatever its file is called, and kept as it is."""
    (tmp_path / "picture").write_bytes(data)
    assert read_icon(tmp_path / "picture") == IconFile(name, data)


def _with(inside: str) -> bytes:
    return SVG.replace(b"</svg>", inside.encode() + b"</svg>")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (_with("<script>alert(1)</script>"), "holds the element script"),
        (_with('<x:script xmlns:x="http://www.w3.org/2000/svg"/>'), "holds the element script"),
        (_with("<foreignObject/>"), "holds the element foreignObject"),
        (_with('<b xmlns="http://www.w3.org/1999/xhtml"/>'), "holds the element b"),
        (_with('<a><set attributeName="href" to="javascript:alert(1)"/></a>'), "the element set"),
        (_with('<g onload="alert(1)"/>'), "holds a script in onload"),
        (_with('<a href="javascript:alert(1)"/>'), r"links to javascript:alert\(1\)"),
        (_with('<image href="https://example.org/x.png"/>'), "links to https://example"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "declares the entity a"),
        (b'<?xml-stylesheet href="x.css"?>' + SVG, "holds the instruction xml-stylesheet"),
        (b"<html/>", "neither a PNG nor an SVG"),
        (b'<svg viewBox="0 0 8 8"/>', "neither a PNG nor an SVG"),
        (SVG[:-8], "neither a PNG nor an SVG"),
        (b"", "neither a PNG nor an SVG"),
        (b"GIF89a", "neither a PNG nor an SVG"),
        (png()[:-3], "cut short"),
        (png()[:-12], "cut short"),
        (png()[:10], "cut short"),
        (png().replace(b"\x80", b"\x81", 1).replace(b"IDAT", b"IDAX"), "damaged"),
        (SVG + b" " * MAX_BYTES, "more than 64 KiB"),
    ],
)
def test_what_is_no_icon(data: bytes, told: str) -> None:
    """What could run, what reaches outside, and what is broken or large is refused."""
    with pytest.raises(UsageError, match=told):
        checked_icon(data, PATH)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file or a folder is told."""
    for path in (tmp_path / "missing.svg", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_icon(path)
