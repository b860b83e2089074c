"""OpenAI's `/v1/embeddings`."""

import asyncio
import base64
from array import array
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.pooling import Pooling
from runtime.errors import RequestError
from runtime.server.embedding import Input, embed, input_tokens, require_vectors
from runtime.server.generation import unless_gone
from runtime.server.json import Integer, JSONResponse
from runtime.server.state import ready_state


class EmbeddingBody(msgspec.Struct):
    """OpenAI's body, with llama-server's `embd_normalize`."""

    input: Input
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Integer | None = None
    embd_normalize: Integer | None = None


async def embeddings(request: Request, body: EmbeddingBody) -> Response:
    """Answer `POST /v1/embeddings`."""
    state = ready_state(request)
    require_vectors(state.engine)
    if state.engine.embeds.pooling is Pooling.NONE:
        raise RequestError(
            "Without pooling a text has no one embedding.",
            hint="Ask /embedding, or start with another --pooling.",
        )
    inputs = await asyncio.to_thread(input_tokens, body.input, state.engine.model)
    done = await unless_gone(request, embed(state, inputs, body.embd_normalize))
    vectors = [embedding.vectors[0] for embedding in done]
    _check_dimensions(body.dimensions, len(vectors[0]))
    as_text = body.encoding_format == "base64"
    num_tokens = sum(map(len, inputs))
    return JSONResponse(
        {
            "object": "list",
            "model": state.name,
            "data": [
                {"object": "embedding", "index": index, "embedding": _base64(vector)}
                if as_text
                else {"object": "embedding", "index": index, "embedding": vector}
                for index, vector in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": num_tokens, "total_tokens": num_tokens},
        }
    )


def _check_dimensions(asked: int | None, actual: int) -> None:
    """Refuse to cut vectors: what is left means something with few models, and none says so."""
    if asked not in (None, actual):
        raise RequestError(
            f"This model's embeddings have {actual} dimensions, and not {asked}.",
            hint="Leave dimensions out.",
        )


def _base64(vector: list[float]) -> str:
    return base64.b64encode(array("f", vector).tobytes()).decode()
