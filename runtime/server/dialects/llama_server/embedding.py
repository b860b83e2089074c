"""llama-server's own `/embedding`."""

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.errors import RequestError
from runtime.server.embedding import Input, embed, input_tokens, require_vectors
from runtime.server.generation import unless_gone
from runtime.server.json import Integer, JSONResponse
from runtime.server.state import ready_state


class NativeBody(msgspec.Struct):
    """llama-server's own body; `input` is another name for `content`."""

    content: Input | None = None
    input: Input | None = None
    embd_normalize: Integer | None = None


async def native_embedding(request: Request, body: NativeBody) -> Response:
    """Answer llama-server's `POST /embedding`: a list of vectors for each input."""
    state = ready_state(request)
    require_vectors(state.engine)
    content = body.input if body.content is None else body.content
    if content is None:
        raise RequestError("The request has no content.")
    inputs = await asyncio.to_thread(input_tokens, content, state.engine.model)
    done = await unless_gone(request, embed(state, inputs, body.embd_normalize))
    return JSONResponse(
        [{"index": index, "embedding": embedding.vectors} for index, embedding in enumerate(done)]
    )
