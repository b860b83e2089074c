"""How a solofile presents itself: the words, the colour and the icon its builder gave it."""

from typing import Annotated

import msgspec

# An icon's entry is called `icon` and ends in one of these.
ICON_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}

# Whatever else stood there would end in a style sheet.
COLOR = r"^#[0-9A-Fa-f]{6}$"


class Branding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Plain texts, to be escaped where they are shown; empty ones leave the choice to the page.

    Args:
        title: What the page is called; the model's name without it.
        greeting: What it says before the first message.
        disclaimer: What it says for as long as it is open.
        examples: Prompts that it offers.
        color: Its accent, as `#rrggbb`.
    """

    title: str = ""
    greeting: str = ""
    disclaimer: str = ""
    examples: tuple[str, ...] = ()
    color: Annotated[str, msgspec.Meta(pattern=COLOR)] = ""


class Icon(msgspec.Struct, frozen=True):
    """A picture and its media type, which is `image/svg+xml` or `image/png`."""

    media_type: str
    data: bytes
