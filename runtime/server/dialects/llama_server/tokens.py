"""llama-server's `/tokenize` and `/detokenize`."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.model import Model
from runtime.server.fields.prompt import Mixed, check_tokens, mixed_tokens
from runtime.server.json import Integer, JSONResponse
from runtime.server.state import ready_state


class TokenizeBody(msgspec.Struct):
    """A text, and how it is taken."""

    content: Mixed = ""
    add_special: bool = False
    parse_special: bool = True
    with_pieces: bool = False


class DetokenizeBody(msgspec.Struct):
    """Token ids."""

    tokens: list[Integer] = []


async def tokenize(request: Request, body: TokenizeBody) -> Response:
    """Answer `POST /tokenize`."""
    return JSONResponse(await asyncio.to_thread(_tokens, body, ready_state(request).engine.model))


async def detokenize(request: Request, body: DetokenizeBody) -> Response:
    """Answer `POST /detokenize`."""
    model = ready_state(request).engine.model
    check_tokens(body.tokens, model)
    return JSONResponse({"content": await asyncio.to_thread(model.text, body.tokens)})


def _tokens(body: TokenizeBody, model: Model) -> dict[str, Any]:
    tokens = mixed_tokens(
        body.content, model, add_special=body.add_special, parse_special=body.parse_special
    )
    if not body.with_pieces:
        return {"tokens": tokens}
    pieces = [_shown(model.special_piece(token)) for token in tokens]
    return {
        "tokens": [
            {"id": token, "piece": piece} for token, piece in zip(tokens, pieces, strict=True)
        ]
    }


def _shown(piece: bytes) -> str | list[int]:
    """Return a piece as text, or its bytes where they are none."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return list(piece)
