"""`GET /health`: whether the model is loaded."""

from starlette.requests import Request
from starlette.responses import Response

from runtime.errors import AppError
from runtime.server.errors import LoadingError
from runtime.server.json import JSONResponse
from runtime.server.state import state_of


async def health(request: Request) -> Response:
    """Answer 200 once the model is loaded, 503 before, and 500 once the engine has failed."""
    engine = state_of(request).engine
    if engine.error:
        raise AppError("The engine has failed; the log says why.")
    if not engine.is_ready:
        raise LoadingError
    return JSONResponse({"status": "ok"})
