"""`/v1/responses`, without a memory: each request brings its whole conversation."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.server.answers import answer_events
from runtime.server.dialects.openai.response_answer import ResponseAnswer
from runtime.server.dialects.openai.response_request import ResponseRequest
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state
from runtime.server.streaming import server_sent, stream
from runtime.server.task import chat_task


async def responses(request: Request, body: ResponseRequest) -> Response:
    """Answer `POST /v1/responses`."""
    state = ready_state(request)
    engine = state.engine
    task = await asyncio.to_thread(
        lambda: chat_task(state, body.to_conversation(), body.response_options(engine.model))
    )
    answer = ResponseAnswer(state.name, engine.model, body, task.requests[0])
    events = answer_events(engine, task)
    if not body.stream:
        return JSONResponse(await unless_gone(request, answer.whole(events)))
    return await stream(
        request, _sent(answer.events(events)), lambda error: _told(answer.failure(error))
    )


async def input_tokens(request: Request, body: ResponseRequest) -> Response:
    """Answer `POST /v1/responses/input_tokens`: how long the prompt would be."""
    state = ready_state(request)
    prompt = await asyncio.to_thread(lambda: state.chat_format.prompt(body.to_conversation()))
    return JSONResponse({"object": "response.input_tokens", "input_tokens": len(prompt.tokens)})


async def _sent(events: AsyncGenerator[dict[str, Any]]) -> AsyncGenerator[bytes]:
    async with aclosing(events):
        async for event in events:
            yield _told(event)


def _told(event: dict[str, Any]) -> bytes:
    return server_sent(event, event=event["type"])
