"""llama-server's own `/completion` and `/infill`."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.answers import answer_events, whole_answers
from runtime.server.dialects.llama_server.completion_answer import NativeAnswer
from runtime.server.dialects.llama_server.completion_request import InfillRequest, NativeRequest
from runtime.server.errors import error_body
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, ready_state
from runtime.server.streaming import server_sent, stream
from runtime.server.task import Task, text_tasks


async def completion(request: Request, body: NativeRequest) -> Response:
    """Answer `POST /completion`."""
    return await _answer(request, body)


async def infill(request: Request, body: InfillRequest) -> Response:
    """Answer `POST /infill`: with what fills the gap between two texts."""
    return await _answer(request, body)


async def _answer(request: Request, body: NativeRequest | InfillRequest) -> Response:
    state = ready_state(request)
    task = await asyncio.to_thread(_task, state, body)
    answer = NativeAnswer(state.name, state.engine, body, task.requests)
    if not body.stream:
        answers = await unless_gone(request, whole_answers(state.engine, task))
        return JSONResponse(answer.whole(answers))
    chunks = answer.chunks(answer_events(state.engine, task))
    return await stream(request, chunks, lambda error: server_sent(error_body(error)))


def _task(state: ServerState, body: NativeRequest | InfillRequest) -> Task:
    engine = state.engine
    return text_tasks(state, body.prompts(engine), body.native_options(engine))
