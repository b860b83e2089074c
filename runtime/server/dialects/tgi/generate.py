"""`/generate`, `/generate_stream`, and `/`, which is either of them."""

import asyncio
import time
from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.sequence import Stats
from runtime.server.answers import answer_events, in_all, whole_answers
from runtime.server.dialects.tgi.errors import error_body
from runtime.server.dialects.tgi.generate_request import GenerateRequest
from runtime.server.dialects.tgi.generated import GeneratedText
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, ready_state
from runtime.server.streaming import server_sent, stream
from runtime.server.task import Task, text_task

COMPUTE_TYPE = "cpu"


async def generate(request: Request, body: GenerateRequest) -> Response:
    """Answer `POST /generate`."""
    return await _whole(request, body)


async def generate_stream(request: Request, body: GenerateRequest) -> Response:
    """Answer `POST /generate_stream`."""
    return await _streamed(request, body)


async def generate_either(request: Request, body: GenerateRequest) -> Response:
    """Answer `POST /`: as a stream where the body asks for it, else with a list of one.

    The prompt is part of the text there, unless the body says otherwise.
    """
    if body.parameters.return_full_text is None:
        body.parameters.return_full_text = True
    if body.stream:
        return await _streamed(request, body)
    return await _whole(request, body, as_list=True)


async def _whole(request: Request, body: GenerateRequest, *, as_list: bool = False) -> Response:
    started_at = time.monotonic()
    state = ready_state(request)
    asked = body.parameters
    needs_likelihoods = bool(asked.details) or (asked.best_of or 1) > 1
    task = await _task(state, body, is_stream=False, wants_likelihoods=needs_likelihoods)
    validated_at = time.monotonic()
    answers = await unless_gone(request, whole_answers(state.engine, task))
    told = _text(state, body).whole(answers, task.requests)
    headers = _headers(
        in_all([answer.stats for answer in answers]),
        total_s=time.monotonic() - started_at,
        validation_s=validated_at - started_at,
    )
    headers["x-compute-characters"] = str(len(body.inputs))
    return JSONResponse([told] if as_list else told, headers=headers)


async def _streamed(request: Request, body: GenerateRequest) -> Response:
    state = ready_state(request)
    task = await _task(state, body, is_stream=True, wants_likelihoods=True)
    events: AsyncGenerator[bytes] = _text(state, body).events(
        answer_events(state.engine, task), task.requests[0]
    )
    response = await stream(request, events, lambda error: server_sent(error_body(error)))
    response.headers["x-compute-type"] = COMPUTE_TYPE
    response.headers["x-compute-characters"] = str(len(body.inputs))
    return response


async def _task(
    state: ServerState, body: GenerateRequest, *, is_stream: bool, wants_likelihoods: bool
) -> Task:
    def make() -> Task:
        body.check(is_stream=is_stream)
        prompt = body.prompt(state)
        options = body.options(state, len(prompt), wants_likelihoods=wants_likelihoods)
        return text_task(state, prompt, options)

    return await asyncio.to_thread(make)


def _text(state: ServerState, body: GenerateRequest) -> GeneratedText:
    asked = body.parameters
    return GeneratedText(
        state.engine.model,
        body.inputs if asked.return_full_text else "",
        with_details=bool(asked.details),
    )


def _headers(stats: Stats, *, total_s: float, validation_s: float) -> dict[str, str]:
    """Return what an answer took: times in milliseconds, but for the compute time in seconds."""
    inference_s = stats.prompt_s + stats.generation_s
    times_s = {
        "total-time": total_s,
        "validation-time": validation_s,
        "queue-time": stats.queue_s,
        "inference-time": inference_s,
        "time-per-token": inference_s / max(1, stats.completion_tokens),
    }
    return {
        "x-compute-type": COMPUTE_TYPE,
        "x-compute-time": f"{total_s:.6f}",
        **{f"x-{name}": str(int(seconds * 1e3)) for name, seconds in times_s.items()},
        "x-prompt-tokens": str(stats.prompt_tokens),
        "x-generated-tokens": str(stats.completion_tokens),
    }
