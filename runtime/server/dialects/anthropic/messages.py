"""`/v1/messages` and `/v1/messages/count_tokens`."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.answers import answer_events, whole_answers
from runtime.server.dialects.anthropic.errors import error_body
from runtime.server.dialects.anthropic.messages_answer import MessageAnswer
from runtime.server.dialects.anthropic.messages_request import MessagesRequest
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state
from runtime.server.streaming import server_sent, stream
from runtime.server.task import chat_task


async def create_message(request: Request, body: MessagesRequest) -> Response:
    """Answer `POST /v1/messages`."""
    state = ready_state(request)
    engine = state.engine
    task = await asyncio.to_thread(
        lambda: chat_task(state, body.conversation(), body.generation_options())
    )
    writer = MessageAnswer(state.name, omits_thinking=body.omits_thinking)
    if not body.stream:
        [answer] = await unless_gone(request, whole_answers(engine, task))
        return JSONResponse(writer.whole(answer))
    events = writer.events(answer_events(engine, task), len(task.prompt))
    return await stream(
        request, events, lambda error: server_sent(error_body(error), event="error")
    )


async def count_tokens(request: Request, body: MessagesRequest) -> Response:
    """Answer `POST /v1/messages/count_tokens`."""
    state = ready_state(request)
    prompt = await asyncio.to_thread(lambda: state.chat_format.prompt(body.conversation()))
    return JSONResponse({"input_tokens": len(prompt.tokens)})
