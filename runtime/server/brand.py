"""How the builder wanted the page to look: its colour, readable on any ground, and its icon."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from runtime.server.pages import PAGE_HEADERS, page_folder
from runtime.server.state import state_of

# The page's grounds in light and dark; see app.css.
_LIGHT, _DARK = (247, 249, 248), (18, 22, 21)
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
# WCAG 2.2, 1.4.3.
_READABLE = 4.5
_STEPS = 50

_Rgb = tuple[int, ...]


async def brand_css(request: Request) -> Response:
    """Answer `GET /page/brand.css`, which is empty where no colour was wanted."""
    payload = state_of(request).payload
    css = style_sheet(payload.branding.color) if payload else ""
    return Response(css, media_type="text/css", headers=PAGE_HEADERS)


async def icon(request: Request) -> Response:
    """Answer `GET /page/icon` with the solofile's own icon, or ours."""
    payload = state_of(request).payload
    own = payload.read_icon() if payload else None
    if own is None:
        return FileResponse(page_folder() / "icon.svg", headers=PAGE_HEADERS)
    return Response(own.data, media_type=own.media_type, headers=PAGE_HEADERS)


def style_sheet(color: str) -> str:
    """Return CSS that makes a colour the accent.

    Args:
        color: As `#rrggbb`; empty for none.
    """
    if not color:
        return ""
    rgb = tuple(int(color[place : place + 2], 16) for place in (1, 3, 5))
    light = _readable(rgb, ground=_LIGHT, towards=_BLACK)
    dark = _readable(rgb, ground=_DARK, towards=_WHITE)
    return (
        f":root {{ {_variables(light)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(dark)} }} }}\n"
    )


def contrast(first: _Rgb, second: _Rgb) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _readable(rgb: _Rgb, *, ground: _Rgb, towards: _Rgb) -> _Rgb:
    """Return the colour, with as much of another as makes it readable on a ground."""
    for step in range(_STEPS + 1):
        mixed = tuple(
            round(own + (other - own) * step / _STEPS)
            for own, other in zip(rgb, towards, strict=True)
        )
        if contrast(mixed, ground) >= _READABLE:
            return mixed
    return towards


def _variables(accent: _Rgb) -> str:
    on_accent = max((_WHITE, _BLACK), key=lambda ink: contrast(ink, accent))
    return f"--accent: {_hex(accent)}; --on-accent: {_hex(on_accent)};"


def _hex(rgb: _Rgb) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in rgb)


def _luminance(rgb: _Rgb) -> float:
    shares = [channel / 255 for channel in rgb]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
