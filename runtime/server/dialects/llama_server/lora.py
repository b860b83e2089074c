"""llama-server's `/lora-adapters`."""

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.fields.lora import LoraScale
from runtime.server.json import JSONResponse
from runtime.server.state import state_of


async def list_adapters(request: Request) -> Response:
    """Answer `GET /lora-adapters`."""
    adapters = state_of(request).engine.adapters
    return JSONResponse(
        [
            {"id": id, "path": file.name, "scale": scale, "task_name": "", "prompt_prefix": ""}
            for id, (file, scale) in enumerate(zip(adapters.files, adapters.scales, strict=True))
        ]
    )


async def set_scales(request: Request, body: list[LoraScale]) -> Response:
    """Answer `POST /lora-adapters`: what holds from now on for requests that say nothing."""
    state_of(request).engine.adapters.set_scales({one.id: one.scale for one in body})
    return JSONResponse({"success": True})
