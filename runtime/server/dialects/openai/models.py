"""`/v1/models`: the one model inside, with llama-server's facts of it."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, state_of

# Fields that llama-server leaves empty, too.
_UNTOLD = ("modified_at", "size", "digest", "description", "parameters")
_DETAILS = ("parent_model", "family", "parameter_size", "quantization_level")


async def list_models(request: Request) -> Response:
    """Answer `GET /v1/models`, while the model loads, too."""
    state = state_of(request)
    capability = "embedding" if state.pooling else "completion"
    native = {
        "name": state.name,
        "model": state.name,
        "type": "model",
        "capabilities": [capability, *_more_capabilities(state)],
        "details": {"format": "gguf"} | dict.fromkeys(_DETAILS, "") | {"families": [""]},
        "tags": [""],
    } | dict.fromkeys(_UNTOLD, "")
    return JSONResponse({"object": "list", "data": [_model(state)], "models": [native]})


async def get_model(request: Request) -> Response:
    """Answer `GET /v1/models/{id}`.

    Raises:
        HTTPException: The model has another name.
    """
    state = state_of(request)
    if request.path_params["id"] != state.name:
        raise HTTPException(404, f"There is no such model; {state.name} is the one here.")
    return JSONResponse(_model(state))


def _more_capabilities(state: ServerState) -> list[str]:
    is_seeing = state.engine.is_ready and state.engine.sees
    return ["multimodal"] if is_seeing else []


def _model(state: ServerState) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": state.name,
        "aliases": [state.name],
        "tags": [],
        "object": "model",
        "created": 0,
        "owned_by": "llamacpp",
    }
    if not state.engine.is_ready:
        return told
    model = state.engine.model
    meta = {
        "vocab_type": model.vocab_type,
        "n_vocab": model.n_vocab,
        "n_ctx": state.engine.n_ctx,
        "n_ctx_train": model.n_ctx_train,
        "n_embd": model.n_embd,
        "n_params": model.header.n_params,
        "size": model.header.size_bytes,
        "ftype": model.header.file_type,
    }
    return told | {"meta": meta}
