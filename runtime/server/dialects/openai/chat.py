"""`/v1/chat/completions`, with llama-server's additions."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.answers import answer_events, whole_answers
from runtime.server.dialects.openai.chat_answer import DONE, ChatAnswer
from runtime.server.dialects.openai.chat_request import ChatRequest
from runtime.server.errors import error_body
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state
from runtime.server.streaming import server_sent, stream
from runtime.server.task import chat_task


async def chat_completions(request: Request, body: ChatRequest) -> Response:
    """Answer `POST /v1/chat/completions`."""
    state = ready_state(request)
    engine = state.engine
    task = await asyncio.to_thread(
        lambda: chat_task(state, body.conversation(), body.chat_options(engine.model))
    )
    answer = ChatAnswer(
        state.name,
        engine.model,
        with_logprobs=bool(body.logprobs),
        splits_reasoning=body.reasoning_format != "none",
        progress=body.shown_progress(),
    )
    if not body.stream:
        return JSONResponse(answer.whole(await unless_gone(request, whole_answers(engine, task))))
    chunks = answer.chunks(
        answer_events(engine, task),
        len(task.requests),
        include_usage=bool(body.stream_options and body.stream_options.include_usage),
    )
    return await stream(request, chunks, lambda error: server_sent(error_body(error)) + DONE)
