"""What the chat page tells the server of itself: that it is open, and that it wants it to end."""

from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.ending import Ending
from runtime.server.errors import RefusedError
from runtime.server.json import JSONResponse
from runtime.server.own_page import is_own_page
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
    if not is_own_page(request):
        raise RefusedError(
            403, "permission_error", "Only the page that this solofile opened itself may end it."
        )
    state_of(request).ending.ask()
    return JSONResponse({"status": "ending"})
