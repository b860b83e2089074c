"""The socket the server listens on, bound before anything slow begins."""

import errno
import os
import socket
from typing import Self

import msgspec

from runtime.errors import ResourceError, UsageError
from runtime.settings.values import DEFAULT_PORT

NUM_PORTS_TRIED = 100
MAX_PORT = 65535
_BACKLOG = 2048


class Listener(msgspec.Struct, frozen=True):
    """A listening socket and its address."""

    socket: socket.socket
    host: str
    port: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def listen(host: str, port: int | None) -> Listener:
    """Listen on `port`, or on the default one or the next that is free.

    Args:
        host: A name or address of this machine.
        port: The one asked for; None leaves the choice to us, 0 to the system.

    Raises:
        ResourceError: The port asked for is taken, or none is free.
        UsageError: The address is not this machine's, or the port may not be used.
    """
    if port is not None and not 0 <= port <= MAX_PORT:
        raise UsageError(f"{port} is no port; they go from 0 to {MAX_PORT}.")
    ports = range(DEFAULT_PORT, DEFAULT_PORT + NUM_PORTS_TRIED) if port is None else [port]
    for candidate in ports:
        try:
            return _bind(host, candidate)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise UsageError(
                f"Cannot listen on {host} port {candidate}: "
                f"{os.strerror(error.errno) if error.errno and error.errno > 0 else error}.",
                hint="Choose another address with --host or another port with --port.",
            ) from error
    if port is None:
        raise ResourceError(f"Ports {ports[0]} to {ports[-1]} are all taken.")
    raise ResourceError(
        f"Port {port} is taken by another program.",
        hint="Choose another with --port, or leave it out to take the next free one.",
    )


def _bind(host: str, port: int) -> Listener:
    # Python encodes other names by a table that takes 2 ms to import.
    name = host.encode() if host.isascii() else host
    family, kind, protocol, _, address = socket.getaddrinfo(
        name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # Elsewhere this option would let two programs share one port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return Listener(listener, host, listener.getsockname()[1])
