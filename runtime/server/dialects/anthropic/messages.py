"""`/v1/messages` and `/v1/messages/count_tokens`."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.answers import answer_events, whole_answers
from runtime.server.dialects.anthropic.errors import error_body
from runtime.server.dialects.anthropic.marked_prefix import marked_prefix
from runtime.server.dialects.anthropic.messages_answer import MessageAnswer
from runtime.server.dialects.anthropic.messages_request import MessagesRequest
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse
from runtime.server.state import ServerState, ready_state
from runtime.server.streaming import server_sent, stream
from runtime.server.task import Task, chat_task

# What is shorter is computed in a moment.
MIN_PINNED_TOKENS = 64


async def create_message(request: Request, body: MessagesRequest) -> Response:
    """Answer `POST /v1/messages`."""
    state = ready_state(request)
    engine = state.engine
    task, num_marked = await asyncio.to_thread(lambda: _task(state, body))
    writer = MessageAnswer(state.name, num_marked, omits_thinking=body.omits_thinking)
    if not body.stream:
        [answer] = await unless_gone(request, whole_answers(engine, task))
        return JSONResponse(writer.whole(answer))
    events = writer.events(answer_events(engine, task), len(task.prompt))
    return await stream(
        request, events, lambda error: server_sent(error_body(error), event="error")
    )


def _task(state: ServerState, body: MessagesRequest) -> tuple[Task, int]:
    """Return what to do, and how much of the prompt stands before a mark; it is pinned."""
    task = chat_task(state, body.conversation(), body.generation_options())
    marked = marked_prefix(state.chat_format, body, task.prompt)
    if marked is None:
        return task, 0
    engine = state.engine
    if len(marked.tokens) >= MIN_PINNED_TOKENS:
        adapters = engine.adapters.resolve(None)
        engine.pins.keep_for(marked.tokens, adapters, marked.seconds, engine.n_ctx)
    return task, len(marked.tokens)


async def count_tokens(request: Request, body: MessagesRequest) -> Response:
    """Answer `POST /v1/messages/count_tokens`."""
    state = ready_state(request)
    prompt = await asyncio.to_thread(lambda: state.chat_format.prompt(body.conversation()))
    return JSONResponse({"input_tokens": len(prompt.tokens)})
