"""Which web pages may use the server: its own, and those that `--cors-origins` names."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.server.safety.hosts import host_of, is_loopback
from runtime.server.safety.refusal import Refusal, header

EVERY_ORIGIN = "*"
# llama-server's word for every page of this machine.
LOCAL_ORIGINS = "localhost"

_READING_METHODS = ("GET", "HEAD")
_ALLOWED_METHODS = b"GET, POST, DELETE, OPTIONS"
_PREFLIGHT_SECONDS = b"600"


class Origins:
    """The origins that are allowed, and a check that refuses the others.

    A browser lets any page send a plain POST, and only keeps its answer from it. So whatever is
    more than reading is refused, with or without a preflight.

    Args:
        allowed: Origins as browsers send them, `*` for all, `localhost` for this machine's.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = {origin.rstrip("/").lower() for origin in allowed}
        self.takes_all = EVERY_ORIGIN in self._allowed
        self._takes_local = LOCAL_ORIGINS in self._allowed

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def allows(self, origin: str) -> bool:
        """Say whether pages of an origin may use the server."""
        origin = origin.lower()
        if self.takes_all or origin in self._allowed:
            return True
        return self._takes_local and is_loopback(host_of(_authority(origin)))

    def __call__(self, scope: Scope) -> Refusal | None:
        """Return a refusal for what a foreign page may not do."""
        if scope["method"] in _READING_METHODS:
            return None
        origin = header(scope, b"origin")
        if origin is None or self.allows(origin):
            return None
        if _authority(origin).lower() == (header(scope, b"host") or "").lower() != "":
            return None
        return Refusal(
            403,
            "permission_error",
            f"Pages of {origin[:100]} may not use this server. "
            "Start it with --cors-origins to allow them.",
        )


class Cors:
    """Middleware that tells browsers which pages may read answers, and answers preflights.

    Credentials are never allowed: the server knows no cookies, and keys come in headers.
    """

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        origin = header(scope, b"origin")
        if origin is None or not self._origins.allows(origin):
            return await self._app(scope, receive, send)
        allowed = b"*" if self._origins.takes_all else origin.encode("latin-1")
        headers = [(b"access-control-allow-origin", allowed), (b"vary", b"Origin")]
        if scope["method"] == "OPTIONS" and header(scope, b"access-control-request-method"):
            headers += _preflight_headers(scope)
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            return await send({"type": "http.response.body", "body": b""})

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                exposed = (b"access-control-expose-headers", b"X-Request-Id, Retry-After")
                message["headers"] = [*message.get("headers", ()), *headers, exposed]
            await send(message)

        return await self._app(scope, receive, send_allowed)


def _preflight_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    # `*` would leave out Authorization, so what is asked for is allowed by name.
    asked = header(scope, b"access-control-request-headers") or "*"
    return [
        (b"access-control-allow-methods", _ALLOWED_METHODS),
        (b"access-control-allow-headers", asked.encode("latin-1")),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]


def _authority(origin: str) -> str:
    return origin.partition("://")[2]
