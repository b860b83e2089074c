"""`/api/tags`, `/api/ps` and `/api/version`: the one model, which is always loaded."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.header import ModelHeader
from runtime.server.dialects.ollama.names import full_name
from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, ready_state

# The version whose API this is; some clients refuse an older one.
VERSION = "0.13.0"
# It stays loaded as long as the server runs.
_NEVER = "9999-12-31T23:59:59Z"
_BILLION, _MILLION, _THOUSAND = 1e9, 1e6, 1e3


async def version(request: Request) -> Response:
    """Answer `GET /api/version`, while the model loads, too."""
    return JSONResponse({"version": VERSION})


async def tags(request: Request) -> Response:
    """Answer `GET /api/tags`: the models that are there."""
    state = ready_state(request)
    return JSONResponse({"models": [_model(state) | {"modified_at": modified_at(state)}]})


async def ps(request: Request) -> Response:
    """Answer `GET /api/ps`: the models that are loaded."""
    state = ready_state(request)
    loaded = {"expires_at": _NEVER, "size_vram": 0, "context_length": state.engine.n_ctx}
    return JSONResponse({"models": [_model(state) | loaded]})


def _model(state: ServerState) -> dict[str, Any]:
    name = full_name(state.name)
    header = state.engine.model.header
    return {
        "name": name,
        "model": name,
        "size": state.payload.weights.size if state.payload else header.size_bytes,
        "digest": state.payload.weights_digest() if state.payload else "",
        "details": details(header),
    }


def details(header: ModelHeader) -> dict[str, Any]:
    """Return Ollama's `details` of a model."""
    return {
        "parent_model": "",
        "format": "gguf",
        "family": header.architecture,
        "families": [header.architecture],
        "parameter_size": parameter_size(header.n_params),
        "quantization_level": header.quantization,
    }


def parameter_size(count: int) -> str:
    """Return a number of parameters as Ollama writes it: `134.52M`, `8.0B`."""
    if count >= _BILLION:
        return f"{count / _BILLION:.1f}B"
    if count >= _MILLION:
        return f"{count / _MILLION:.2f}M"
    return f"{count / _THOUSAND:.0f}K"


def modified_at(state: ServerState) -> str:
    """Return when the model's file was last changed."""
    seconds = state.payload.path.stat().st_mtime if state.payload else 0.0
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
