"""llama-server's `/props`: what the server and its model are."""

from starlette.requests import Request
from starlette.responses import Response

from runtime import __version__
from runtime.engine.sequence import GenerationRequest
from runtime.server.dialects.llama_server.generation_settings import brief_settings
from runtime.server.errors import NotSupportedError
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state


async def props(request: Request) -> Response:
    """Answer `GET /props`; of the file's place only its name is told."""
    state = ready_state(request)
    engine = state.engine
    model = engine.model
    defaults = GenerationRequest(
        [], state.sampling_params({}), state.max_tokens, n_keep=state.n_keep
    )
    return JSONResponse(
        {
            "default_generation_settings": {
                "params": brief_settings(defaults, is_streamed=False),
                "n_ctx": engine.n_ctx,
            },
            "total_slots": engine.max_running,
            "model_alias": state.name,
            "model_ftype": model.header.file_type,
            "model_path": state.payload.weights.path.name if state.payload else state.name,
            "modalities": {"vision": engine.sees, "video": False, "audio": False},
            "endpoint_slots": True,
            "endpoint_props": False,
            "endpoint_metrics": True,
            "ui": True,
            "chat_template": state.chat_format.template,
            "bos_token": model.bos_piece,
            "eos_token": model.eos_piece,
            "build_info": f"solofile-{__version__}",
            "is_sleeping": False,
            "sandbox": state.sandbox,
        }
    )


async def set_props(_request: Request) -> Response:
    """Answer `POST /props`.

    Raises:
        NotSupportedError: Always.
    """
    raise NotSupportedError(
        "This server does not change its properties while it runs.",
        hint="Start it with other settings.",
    )
