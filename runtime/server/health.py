"""`GET /health`: whether the model is loaded."""

from starlette.requests import Request
from starlette.responses import Response

from runtime.errors import AppError
from runtime.server.errors import LoadingError, RefusedError
from runtime.server.json import JSONResponse
from runtime.server.own_page import is_own_page
from runtime.server.state import state_of


async def health(request: Request) -> Response:
    """Answer 200 once the model is loaded, 503 before, and 500 once the engine has failed."""
    state = state_of(request)
    engine = state.engine
    if engine.error and is_own_page(request):
        # There is no terminal to say it in, and the one who asks sits here.
        raise RefusedError(500, "server_error", str(engine.error))
    if engine.error:
        raise AppError("The engine has failed; the log says why.")
    if not engine.is_ready:
        raise LoadingError(engine.load_progress)
    return JSONResponse({"status": "ok"})
