"""The settings that keep a server safe, read and checked, and the middleware they ask for."""

from typing import TYPE_CHECKING

import msgspec
from starlette.types import ASGIApp

from runtime.errors import UsageError
from runtime.server.listening import Listener
from runtime.server.safety.access_log import AccessLog
from runtime.server.safety.body_limit import BodyLimit
from runtime.server.safety.connection import ConnectionLimits
from runtime.server.safety.drain import Drain
from runtime.server.safety.hosts import HostCheck, is_loopback
from runtime.server.safety.origins import Cors, Origins
from runtime.server.safety.refusal import Check, Guard
from runtime.settings.values import Settings

if TYPE_CHECKING:
    import ssl

MIB = 2**20


class Safety(msgspec.Struct, frozen=True):
    """What stands between the network and the routes.

    Args:
        hosts: Refuses foreign names.
        origins: Refuses foreign pages.
        keys: Refuses requests without a key; None asks for none.
        connections: What clients may take of connections.
        drain: Whether the server is ending.
        max_body_bytes: The largest body.
        logs_bodies: Whether the log has what is asked.
        tls: What HTTPS needs; None is HTTP.
        is_exposed: Whether other machines may ask, and need no key.
    """

    hosts: HostCheck
    origins: Origins
    keys: Check | None
    connections: ConnectionLimits
    drain: Drain
    max_body_bytes: int
    logs_bodies: bool
    tls: "ssl.SSLContext | None"
    is_exposed: bool

    @classmethod
    def of(cls, settings: Settings, listener: Listener) -> "Safety":
        """Return what the settings ask for.

        Raises:
            UsageError: One of them is unusable, or a file that it names is.
        """
        for name in ("max_body", "max_connections"):
            if getattr(settings, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be at least 1.")
        if settings.drain_timeout < 0:
            raise UsageError("--drain-timeout must not be below 0.")
        address = listener.socket.getsockname()[0]
        keys = _keys(settings)
        return cls(
            hosts=HostCheck(settings.host, address, _items(settings.allowed_hosts)),
            origins=Origins(_items(settings.cors_origins)),
            keys=keys,
            connections=ConnectionLimits(settings.max_connections),
            drain=Drain(settings.drain_timeout),
            max_body_bytes=settings.max_body * MIB,
            logs_bodies=settings.log_prompts,
            tls=_tls(settings),
            is_exposed=keys is None and not is_loopback(address),
        )

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application behind all that protects it."""
        checks: list[Check] = [self.drain, *([self.keys] if self.keys else [])]
        app = Guard(BodyLimit(app, self.max_body_bytes), checks)
        if self.origins:
            app = Cors(app, self.origins)
        return AccessLog(Guard(app, [self.hosts, self.origins]), with_bodies=self.logs_bodies)


def _items(text: str) -> list[str]:
    return [item for part in text.split(",") if (item := part.strip())]


# Few servers have either, so their modules are imported only for those.


def _keys(settings: Settings) -> Check | None:
    if not settings.api_key and not settings.api_key_file:
        return None
    from runtime.server.safety.keys import KeyCheck, read_keys

    return KeyCheck(read_keys(settings.api_key, settings.api_key_file))


def _tls(settings: Settings) -> "ssl.SSLContext | None":
    if not settings.ssl_cert_file and not settings.ssl_key_file:
        return None
    from runtime.server.safety.tls import tls_context

    return tls_context(settings.ssl_cert_file, settings.ssl_key_file)
