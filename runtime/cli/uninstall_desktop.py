"""`uninstall-desktop`: out of the menus again."""

import argparse

from runtime.cli.command import answer
from runtime.desktop.entry import remove_entry
from runtime.desktop.identity import own_identity

SUMMARY = "Take this solofile out of the menus of this desktop again."
EXAMPLES = "  MODEL uninstall-desktop"
GROUPS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments: none."""


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    identity, _ = own_identity()
    if remove_entry(identity):
        answer(f"{identity.title} is out of your menus.")
    else:
        answer(f"{identity.title} was not in your menus.")
    return 0
