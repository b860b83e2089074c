"""`/tokenize` and `/chat_tokenize`: the tokens of a text or a prompt, and where they stand."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.model import Model
from runtime.errors import RequestError

# text-generation-inference takes OpenAI's conversations there.
from runtime.server.dialects.openai.chat_request import ChatRequest
from runtime.server.json import JSONResponse
from runtime.server.state import ready_state


async def tokenize(request: Request, text: str) -> Response:
    """Answer `POST /tokenize` for a body with `inputs`."""
    model = ready_state(request).engine.model

    def work() -> list[dict[str, Any]]:
        tokens = model.tokenize(text, add_special=True, parse_special=True)
        return simple_tokens(model, text, tokens)

    return JSONResponse(await asyncio.to_thread(work))


async def chat_tokenize(request: Request, body: ChatRequest) -> Response:
    """Answer `POST /chat_tokenize`."""
    state = ready_state(request)

    def work() -> dict[str, Any]:
        prompt = state.chat_format.prompt(body.conversation())
        if prompt.images:
            raise RequestError("A prompt with images is more than tokens.", hint="Send text alone.")
        tokens = simple_tokens(state.engine.model, prompt.text, prompt.tokens)
        return {"tokenize_response": tokens, "templated_text": prompt.text}

    return JSONResponse(await asyncio.to_thread(work))


def simple_tokens(model: Model, text: str, tokens: list[int]) -> list[dict[str, Any]]:
    """Return tokens with the characters of a text that they stand for, from `start` to `stop`.

    A token that is a part of a character stands for all of it; one that is not from the text, such
    as the one that begins a sequence, stands at its border.
    """
    pieces = [model.special_piece(token) for token in tokens]
    data = text.encode()
    char_of = [index for index, char in enumerate(text) for _ in char.encode()]
    # Some models put a token or a blank before each text.
    end = -max(0, b"".join(pieces).find(data))
    told, stop = [], 0
    for token, piece in zip(tokens, pieces, strict=True):
        begin, end = max(0, end), end + len(piece)
        own = char_of[begin : max(0, end)]
        start = own[0] if own else stop
        stop = own[-1] + 1 if own else stop
        told.append({"id": token, "text": text[start:stop], "start": start, "stop": stop})
    return told
