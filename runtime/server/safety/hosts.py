"""Which names the server answers to: a foreign one points at us by DNS rebinding."""

import socket
from collections.abc import Iterable

from starlette.types import Scope

from runtime.server.safety.refusal import Refusal, header

EVERY_HOST = "*"
_MAPPED_PREFIX = bytes(10) + b"\xff\xff"


class HostCheck:
    """Refuses requests whose `Host` header names none of this machine's names and addresses.

    Only names can be rebound, and browsers send them as they are. So an address is taken where
    the connection really reached it, and any address where the server listens beyond loopback:
    address translation may have changed it on the way.

    Args:
        host: What `--host` says.
        address: The address the socket is bound to.
        allowed: More names and addresses; `*` allows every one.
    """

    def __init__(self, host: str, address: str, allowed: Iterable[str] = ()) -> None:
        self._names = {host_of(host), "localhost", *map(host_of, allowed)}
        self._takes_any_address = not is_loopback(address)
        if self._takes_any_address:
            self._names.add(socket.gethostname().lower())
        self._takes_all = EVERY_HOST in self._names

    def __call__(self, scope: Scope) -> Refusal | None:
        """Return a refusal for a foreign name."""
        given = header(scope, b"host")
        # HTTP/1.0 may lack it; a browser never does.
        if given is None or self._takes_all or self._is_ours(host_of(given), scope):
            return None
        return Refusal(
            403,
            "permission_error",
            f"This server does not go by the name {given[:100]!r}. "
            "Start it with --allowed-hosts to give it more names.",
        )

    def _is_ours(self, host: str, scope: Scope) -> bool:
        if host in self._names or host.endswith(".localhost"):
            return True
        address = _packed(host)
        if address is None:
            return False
        reached = scope.get("server") or ("", None)
        return self._takes_any_address or is_loopback(host) or address == _packed(reached[0])


def host_of(authority: str) -> str:
    """Return the name or address in `NAME:PORT`, `[ADDRESS]:PORT` or alone, in lower case."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    if authority.count(":") > 1:
        return authority.lower()
    return authority.partition(":")[0].rstrip(".").lower()


def is_loopback(host: str) -> bool:
    """Say whether a name or address is one that only this machine can reach."""
    address = _packed(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return address[0] == 127 if len(address) == 4 else address == bytes(15) + b"\x01"


def _packed(host: str) -> bytes | None:
    """Return an address as bytes, one of IPv4 in four of them; None for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            packed = socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return packed.removeprefix(_MAPPED_PREFIX)
    return None
