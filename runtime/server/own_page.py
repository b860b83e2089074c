"""Whether the server's own page asks, on the machine that it runs on."""

from starlette.requests import Request

from runtime.server.safety.hosts import host_of, is_loopback
from runtime.server.state import state_of


def is_own_page(request: Request) -> bool:
    """Say whether a request may come from the page that this server opened on this machine.

    Origins that `--cors-origins` allows may use the model, which is no reason to let them end it.
    A proxy on this machine brings the requests of others, under its own name.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    return (
        state_of(request).ending.can_be_asked
        and request.client is not None
        and is_loopback(request.client.host)
        and is_loopback(host_of(host))
        and (origin is None or origin.partition("://")[2] == host)
    )
