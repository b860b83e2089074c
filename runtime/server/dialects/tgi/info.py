"""`/info`: what is served, and its limits."""

from starlette.requests import Request
from starlette.responses import Response

from runtime import __version__
from runtime.server.dialects.tgi.generate_request import MAX_TOP_N_TOKENS
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state
from runtime.server.task import MAX_CHOICES


async def info(request: Request) -> Response:
    """Answer `GET /info`."""
    state = ready_state(request)
    n_ctx = state.engine.n_ctx
    writes = state.engine.model.generates_text
    return JSONResponse(
        {
            "model_id": state.name,
            "model_sha": None,
            "model_pipeline_tag": "text-generation" if writes else "feature-extraction",
            "max_concurrent_requests": None,
            "max_best_of": MAX_CHOICES,
            "max_stop_sequences": None,
            "max_top_n_tokens": MAX_TOP_N_TOKENS,
            "max_input_tokens": n_ctx - 1,
            "max_total_tokens": n_ctx,
            "validation_workers": 1,
            "max_client_batch_size": 1,
            "router": "solofile",
            "version": __version__,
            "sha": None,
            "docker_label": None,
        }
    )
