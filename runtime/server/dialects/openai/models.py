"""`/v1/models`: the one model inside."""

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.json import JSONResponse
from runtime.server.state import state_of


async def list_models(request: Request) -> Response:
    """Answer `GET /v1/models`."""
    model = {"id": state_of(request).name, "object": "model", "created": 0, "owned_by": "solofile"}
    return JSONResponse({"object": "list", "data": [model]})
