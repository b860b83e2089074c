"""The icon that goes into a solofile: an SVG that only draws, or a PNG."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from runtime.branding import ICON_TYPES
from runtime.errors import UsageError

MAX_BYTES = 64 << 10

_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_CRC = struct.Struct(">I")
_SVG = "http://www.w3.org/2000/svg"
# What runs, embeds another document, or could change a link into something that runs.
_NOT_DRAWN = ("script", "handler", "foreignobject", "iframe", "set", "animate")
_LINKS = {"href", "src"}


@dataclass(frozen=True, slots=True)
class IconFile:
    """An icon that was checked, and its entry's name: `icon.svg` or `icon.png`."""

    name: str
    data: bytes


def read_icon(path: Path) -> IconFile:
    """Return the icon in a file.

    Raises:
        UsageError: There is no such file, it is too large, or it is neither a whole PNG nor an SVG
            that does nothing but draw.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"The icon {path} cannot be read: {error.strerror}.") from error
    return checked_icon(data, path)


def checked_icon(data: bytes, path: Path) -> IconFile:
    """Return an icon with these bytes, which come from `path`.

    Raises:
        UsageError: See `read_icon`.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"The icon {path} has more than {MAX_BYTES >> 10} KiB.")
    is_png = data.startswith(_PNG)
    wrong = _wrong_in_png(data) if is_png else _wrong_in_svg(data)
    if wrong:
        raise UsageError(
            f"The icon {path} is not used: {wrong}.", hint="Name a PNG, or an SVG that only draws."
        )
    suffix = ".png" if is_png else ".svg"
    assert suffix in ICON_TYPES, "the runtime knows its type"
    return IconFile(f"icon{suffix}", data)


def _wrong_in_png(data: bytes) -> str:
    """Return what is wrong with the chunks of a PNG (its specification, section 5); or nothing."""
    position = len(_PNG)
    kinds = []
    while position < len(data):
        body = position + _CHUNK.size
        if body > len(data):
            return "it is cut short"
        size, kind = _CHUNK.unpack_from(data, position)
        end = body + size
        if end + _CRC.size > len(data):
            return "it is cut short"
        if zlib.crc32(data[position + 4 : end]) != _CRC.unpack_from(data, end)[0]:
            return "it is damaged"
        kinds.append(kind)
        position = end + _CRC.size
    is_whole = kinds[:1] == [b"IHDR"] and b"IDAT" in kinds and kinds[-1] == b"IEND"
    return "" if is_whole else "it is cut short"


class _UnwantedError(Exception):
    """What an icon must not hold."""


def _wrong_in_svg(data: bytes) -> str:
    elements: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        elements.append(name)
        _check_element(name, attributes)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EntityDeclHandler = _refuse_entity
    parser.ProcessingInstructionHandler = _refuse_instruction
    try:
        parser.Parse(data, True)
    except _UnwantedError as error:
        return str(error)
    except (expat.ExpatError, ValueError, LookupError):
        return "it is neither a PNG nor an SVG"
    return "" if elements[0] == f"{_SVG} svg" else "it is neither a PNG nor an SVG"


def _check_element(name: str, attributes: dict[str, str]) -> None:
    namespace, _, local = name.rpartition(" ")
    # An editor's own elements, in other namespaces, draw nothing; those of HTML would.
    if local.lower().startswith(_NOT_DRAWN) or namespace.endswith("xhtml"):
        raise _UnwantedError(f"it holds the element {local}")
    for attribute, value in attributes.items():
        kind = attribute.rpartition(" ")[2].lower()
        if kind.startswith("on"):
            raise _UnwantedError(f"it holds a script in {kind}")
        if kind in _LINKS and not value.startswith(("#", "data:image/")):
            raise _UnwantedError(f"it links to {value[:80]}")


def _refuse_entity(name: str, *_: object) -> None:
    raise _UnwantedError(f"it declares the entity {name}")


def _refuse_instruction(target: str, _: str) -> None:
    raise _UnwantedError(f"it holds the instruction {target}")
