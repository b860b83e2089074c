"""The resources by which Explorer shows a solofile: who it is, and its icon."""

import struct

from builder.windows.executable import Resource

# Types and languages, "Resource Types" and "Language Identifiers" of Microsoft's documentation.
_ICON, _ICON_GROUP, _VERSION = 3, 14, 16
_NEUTRAL, _ENGLISH_US, _UNICODE = 0, 0x409, 1200
_MAX_ICON_PIXELS = 256

# Width and height in a PNG's first chunk (its specification, 11.2.1).
_PNG_SIZE = struct.Struct(">16xII")
# Reserved, type, count; width, height, colours, reserved, planes, bits, size, number.
_ICON_GROUP_LAYOUT = struct.Struct("<3H4B2HIH")
# VS_FIXEDFILEINFO: signature, layout, file and product version, mask, flags, system, type, ...
_FIXED = struct.Struct("<13I")
_SIGNATURE, _LAYOUT, _FLAGS_MASK, _WINDOWS_NT, _PROGRAM = 0xFEEF04BD, 1 << 16, 0x3F, 0x40004, 1


def icon_resources(png: bytes) -> list[Resource]:
    """Return the resources of an icon; none where Windows takes no icons of its size."""
    width, height = _PNG_SIZE.unpack_from(png)
    if width != height or width > _MAX_ICON_PIXELS:
        return []
    # 256 does not fit into a byte; 0 stands for it.
    pixels = width % 256
    group = _ICON_GROUP_LAYOUT.pack(0, 1, 1, pixels, pixels, 0, 0, 1, 32, len(png), 1)
    return [
        Resource(_ICON, 1, _NEUTRAL, png),
        Resource(_ICON_GROUP, 1, _NEUTRAL, group),
    ]


def version_resource(version: str, texts: dict[str, str]) -> Resource:
    """Return the resource that says which version of what this is.

    Args:
        version: Up to four numbers with dots between.
        texts: What is said, by Windows' names for it, such as `ProductName`.
    """
    parts = [int(part) for part in version.split(".") if part.isdigit()]
    major, minor, patch, build = [*parts, 0, 0, 0, 0][:4]
    numbers = [major << 16 | minor, patch << 16 | build]
    rest = [_FLAGS_MASK, 0, _WINDOWS_NT, _PROGRAM, 0, 0, 0]
    fixed = _FIXED.pack(_SIGNATURE, _LAYOUT, *numbers, *numbers, *rest)
    strings = b"".join(_padded(_text(name, text)) for name, text in texts.items())
    table = _node(f"{_ENGLISH_US:04x}{_UNICODE:04x}", b"", strings)
    translation = _node("Translation", struct.pack("<2H", _ENGLISH_US, _UNICODE), b"")
    children = _padded(_node("StringFileInfo", b"", table))
    children += _node("VarFileInfo", b"", translation)
    data = _node("VS_VERSION_INFO", fixed, children)
    return Resource(_VERSION, 1, _NEUTRAL, data)


def _text(name: str, text: str) -> bytes:
    value = f"{text}\0".encode("utf-16-le")
    return _node(name, value, b"", num_characters=len(value) // 2)


def _node(key: str, value: bytes, children: bytes, *, num_characters: int = 0) -> bytes:
    """Return one node of the tree: its length, its value's, whether that is text, key and value."""
    head = f"{key}\0".encode("utf-16-le")
    # The header's six bytes come first; what follows the key begins at a multiple of 4.
    head += b"\0" * (-(6 + len(head)) % 4)
    body = head + (_padded(value) if children else value) + children
    is_text = not value or num_characters > 0
    return struct.pack("<3H", 6 + len(body), num_characters or len(value), is_text) + body


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
