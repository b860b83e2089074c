"""`install-desktop`: an entry in the menus of this desktop."""

import argparse
import sys

from runtime.branding import Icon
from runtime.cli.command import answer
from runtime.desktop.entry import install_entry
from runtime.desktop.identity import own_identity
from runtime.errors import UnsupportedError

SUMMARY = "Put this solofile into the menus of this desktop (Linux)."
EXAMPLES = "  MODEL install-desktop"
GROUPS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments: none."""


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if sys.platform != "linux":
        raise UnsupportedError(
            "Desktop entries are for Linux.",
            hint="Drag the file to the Dock, the desktop or the Start menu.",
        )
    identity, payload = own_identity()
    icon = payload.read_icon() or _own_icon()
    answer(f"{identity.title} is in your menus now, by {install_entry(identity, icon)}")
    return 0


def _own_icon() -> Icon:
    from runtime.server.pages import page_folder

    return Icon("image/svg+xml", (page_folder() / "icon.svg").read_bytes())
