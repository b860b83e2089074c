"""What a conversation becomes: llama-server's `/apply-template`, and the count of its tokens."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from runtime.chat.conversation import ChatPrompt
from runtime.server.dialects.openai.chat_request import ChatRequest
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state


async def apply_template(request: Request, body: ChatRequest) -> Response:
    """Answer `POST /apply-template`."""
    return JSONResponse({"prompt": (await _prompt(request, body)).text})


async def input_tokens(request: Request, body: ChatRequest) -> Response:
    """Answer `POST /v1/chat/completions/input_tokens`."""
    count = len((await _prompt(request, body)).tokens)
    return JSONResponse({"object": "response.input_tokens", "input_tokens": count})


async def _prompt(request: Request, body: ChatRequest) -> ChatPrompt:
    state = ready_state(request)
    return await asyncio.to_thread(lambda: state.chat_format.prompt(body.conversation()))
