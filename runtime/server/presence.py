"""What the chat page tells the server of itself: that it is open, and that it wants it to end."""

from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.ending import Ending
from runtime.server.errors import RefusedError
from runtime.server.json import JSONResponse
from runtime.server.safety.hosts import host_of, is_loopback
from runtime.server.state import state_of
from runtime.server.streaming import stream


async def presence(request: Request) -> Response:
    """Answer `GET /page/presence`, for as long as the page is open where that matters."""
    ending = state_of(request).ending
    if not ending.waits_for_use:
        return Response(status_code=204)
    return await stream(request, _held(ending), lambda _: b"", media_type="text/plain")


async def _held(ending: Ending) -> AsyncGenerator[bytes]:
    yield b"\n"
    await ending.wait_until_begun()


async def quit_server(request: Request) -> Response:
    """Answer `POST /page/quit`: end the server for the page that it opened itself.

    Raises:
        RefusedError: Someone else asks, or the server has no such page.
    """
    if not may_quit(request):
        raise RefusedError(
            403, "permission_error", "Only the page that this solofile opened itself may end it."
        )
    state_of(request).ending.ask()
    return JSONResponse({"status": "ending"})


def may_quit(request: Request) -> bool:
    """Say whether a request comes from this machine, and from no page but ours.

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
