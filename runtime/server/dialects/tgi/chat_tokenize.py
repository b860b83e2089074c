"""`/chat_tokenize`: the prompt of a conversation, and its tokens."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

# text-generation-inference takes OpenAI's conversations there.
from runtime.server.dialects.openai.chat_request import ChatRequest
from runtime.server.dialects.tgi.simple_tokens import simple_tokens
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state


async def chat_tokenize(request: Request, body: ChatRequest) -> Response:
    """Answer `POST /chat_tokenize`."""
    state = ready_state(request)

    def tokenize() -> dict[str, Any]:
        prompt = state.chat_format.prompt(body.conversation())
        tokens = simple_tokens(state.engine.model, prompt.text, prompt.tokens)
        return {"tokenize_response": tokens, "templated_text": prompt.text}

    return JSONResponse(await asyncio.to_thread(tokenize))
