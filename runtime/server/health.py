"""`GET /health`: whether the model is loaded."""

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.errors import LoadingError
from runtime.server.json import JSONResponse
from runtime.server.state import state_of


async def health(request: Request) -> Response:
    """Answer 200 once the model is loaded, 503 before."""
    if not state_of(request).engine.is_ready:
        raise LoadingError
    return JSONResponse({"status": "ok"})
