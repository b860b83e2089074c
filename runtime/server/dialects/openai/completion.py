"""`/v1/completions`: a text is continued, without a conversation."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.answers import answer_events, whole_answers
from runtime.server.dialects.openai.chat_answer import DONE
from runtime.server.dialects.openai.completion_answer import CompletionAnswer
from runtime.server.dialects.openai.completion_request import CompletionRequest
from runtime.server.errors import error_body
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, ready_state
from runtime.server.streaming import server_sent, stream
from runtime.server.task import Task, text_tasks


async def completions(request: Request, body: CompletionRequest) -> Response:
    """Answer `POST /v1/completions`."""
    state = ready_state(request)
    task, answer = await asyncio.to_thread(_prepare, state, body)
    if not body.stream:
        answers = await unless_gone(request, whole_answers(state.engine, task))
        return JSONResponse(answer.whole(answers))
    chunks = answer.chunks(answer_events(state.engine, task))
    return await stream(request, chunks, lambda error: server_sent(error_body(error)) + DONE)


def _prepare(state: ServerState, body: CompletionRequest) -> tuple[Task, CompletionAnswer]:
    model = state.engine.model
    prompts = body.prompts(state.engine)
    task = text_tasks(state, prompts, body.completion_options(model, state.max_tokens))
    return task, CompletionAnswer(state.name, model, body, prompts)
