"""Putting a solofile's branding together from what its source brought and what was asked for."""

import msgspec

from runtime.branding import Branding


def merged_branding(brought: Branding, asked: Branding) -> Branding:
    """Return what was asked for, and what the source brought where nothing was."""
    return msgspec.convert(msgspec.to_builtins(brought) | msgspec.to_builtins(asked), Branding)
