"""What a service is, and how a system is told of it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from runtime.desktop.identity import Identity

Command = Sequence[str]


class Service(msgspec.Struct, frozen=True):
    """A solofile that is to serve in the background.

    Args:
        identity: Which.
        arguments: What `serve` gets.
    """

    identity: Identity
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """What the system is to start."""
        return [str(self.identity.path), "serve", "--no-browser", *self.arguments]


class Plan(msgspec.Struct, frozen=True):
    """How one system is told of a service.

    Args:
        file: What the system reads, or is given.
        content: What it says.
        start: Commands that install and start it, once the file is there.
        stop: Commands that stop it, before the file goes.
        forget: Commands after that.
        status: The command that shows how it is.
        note: What its user should know.
    """

    file: Path
    content: bytes
    start: Sequence[Command]
    stop: Sequence[Command]
    status: Command
    forget: Sequence[Command] = ()
    note: str = ""
