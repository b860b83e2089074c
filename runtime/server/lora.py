"""llama-server's `/lora-adapters`, and the `lora` field of requests."""

from collections.abc import Iterable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.server.json import JSONResponse, read_json
from runtime.server.state import state_of


class LoraScale(msgspec.Struct):
    """How strongly an adapter is applied."""

    id: int
    scale: float = 0.0


def lora_scales(asked: Iterable[LoraScale] | None) -> dict[int, float] | None:
    """Return scales by adapter number; None where a request leaves the choice to the server."""
    return {one.id: one.scale for one in asked} if asked else None


async def list_adapters(request: Request) -> Response:
    """Answer `GET /lora-adapters`."""
    adapters = state_of(request).engine.adapters
    return JSONResponse(
        [
            {"id": id, "path": file.name, "scale": scale, "task_name": "", "prompt_prefix": ""}
            for id, (file, scale) in enumerate(zip(adapters.files, adapters.scales, strict=True))
        ]
    )


async def set_scales(request: Request) -> Response:
    """Answer `POST /lora-adapters`: what holds from now on for requests that say nothing."""
    asked = await read_json(request, list[LoraScale])
    state_of(request).engine.adapters.set_scales({one.id: one.scale for one in asked})
    return JSONResponse({"success": True})


ROUTES = [
    Route("/lora-adapters", list_adapters, methods=["GET"]),
    Route("/lora-adapters", set_scales, methods=["POST"]),
]
