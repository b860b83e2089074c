"""llama-server's `/slots`: what the server works on."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.sequence import Sequence
from runtime.server.dialects.llama_server.generation_settings import brief_settings
from runtime.server.errors import NoSlotError, NotSupportedError
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state


async def slots(request: Request) -> Response:
    """Answer `GET /slots`: one slot for each request that may run; texts are not told.

    Raises:
        NoSlotError: The query asks to fail where none is idle.
    """
    engine = ready_state(request).engine
    running = engine.running()
    num_slots = max(engine.max_running, len(running))
    if request.query_params.get("fail_on_no_slot") and len(running) >= num_slots:
        raise NoSlotError
    listed: list[dict[str, Any]] = [
        {"id": id, "n_ctx": engine.n_ctx, "speculative": False, "is_processing": False}
        for id in range(num_slots)
    ]
    for slot, sequence in zip(listed, running, strict=False):
        slot |= _work(sequence)
    return JSONResponse(listed)


async def change_slot(_request: Request) -> Response:
    """Answer `POST /slots/{id}`.

    Raises:
        NotSupportedError: Always.
    """
    raise NotSupportedError(
        "Slots are not saved, restored or erased by requests.",
        hint="POST /v1/prompts keeps one in memory, and --prompt-cache DIR all on disk.",
    )


def _work(sequence: Sequence) -> dict[str, Any]:
    request, stats = sequence.request, sequence.stats()
    num_computed = min(sequence.num_computed, stats.prompt_tokens)
    remaining = -1
    if request.max_tokens is not None:
        remaining = request.max_tokens - stats.completion_tokens
    return {
        "speculative": stats.drafted_tokens > 0,
        "is_processing": True,
        "id_task": sequence.id,
        "n_prompt_tokens": stats.prompt_tokens,
        "n_prompt_tokens_processed": max(0, num_computed - stats.cached_tokens),
        "n_prompt_tokens_cache": stats.cached_tokens,
        "params": brief_settings(request, is_streamed=False),
        "next_token": [
            {"has_next_token": True, "n_remain": remaining, "n_decoded": stats.completion_tokens}
        ],
    }
