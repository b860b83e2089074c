"""`/api/embed`, and `/api/embeddings` before it."""

import asyncio
import time

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.embedding import normalized
from runtime.engine.model import Model
from runtime.engine.pooling import Pooling
from runtime.errors import RequestError
from runtime.server.dialects.ollama.names import called
from runtime.server.embedding import embed as embed_inputs
from runtime.server.embedding import require_vectors
from runtime.server.generation import unless_gone
from runtime.server.json import Integer, JSONResponse
from runtime.server.state import ServerState, ready_state

_NOT = -1
_EUCLIDEAN = 2


class EmbedRequest(msgspec.Struct):
    """The body of `/api/embed`."""

    input: str | list[str] = ""
    model: str = ""
    truncate: bool | None = None
    dimensions: Integer | None = None


class EmbeddingsRequest(msgspec.Struct):
    """The body of `/api/embeddings`."""

    prompt: str = ""
    model: str = ""


async def embed(request: Request, body: EmbedRequest) -> Response:
    """Answer `POST /api/embed`: vectors of length 1."""
    began_at = time.monotonic_ns()
    state = ready_state(request)
    texts = [body.input] if isinstance(body.input, str) else body.input
    answer = {"model": called(body.model, state.name), "embeddings": list[list[float]]()}
    if not any(texts):
        return JSONResponse(answer)
    # Ollama cuts what is too long unless it must not.
    inputs = await asyncio.to_thread(_inputs, state, texts, cuts=body.truncate is not False)
    vectors = await _vectors(request, state, inputs, _EUCLIDEAN)
    return JSONResponse(
        answer
        | {
            "embeddings": [_cut(vector, body.dimensions) for vector in vectors],
            "total_duration": time.monotonic_ns() - began_at,
            "load_duration": 0,
            "prompt_eval_count": sum(map(len, inputs)),
        }
    )


async def embeddings(request: Request, body: EmbeddingsRequest) -> Response:
    """Answer `POST /api/embeddings`: one vector, as the model makes it."""
    state = ready_state(request)
    if not body.prompt:
        return JSONResponse({"embedding": []})
    inputs = await asyncio.to_thread(_inputs, state, [body.prompt], cuts=False)
    [vector] = await _vectors(request, state, inputs, _NOT)
    return JSONResponse({"embedding": vector})


async def _vectors(
    request: Request, state: ServerState, inputs: list[list[int]], normalize: int
) -> list[list[float]]:
    require_vectors(state.engine)
    if state.engine.embeds.pooling is Pooling.NONE:
        raise RequestError(
            "Without pooling a text has no one embedding.", hint="Start with another --pooling."
        )
    done = await unless_gone(request, embed_inputs(state, inputs, normalize))
    return [embedding.vectors[0] for embedding in done]


def _inputs(state: ServerState, texts: list[str], *, cuts: bool) -> list[list[int]]:
    limit = state.engine.embeds.max_input_tokens if cuts else None
    return [input_tokens(state.engine.model, text, limit) for text in texts]


def input_tokens(model: Model, text: str, limit: int | None) -> list[int]:
    """Return a text's token ids.

    Args:
        model: The loaded model.
        text: What to tokenize.
        limit: How many at most; the end of the text is left out, and not what the model wants
            behind it.
    """
    whole = model.tokenize(text, add_special=True, parse_special=True)
    if limit is None or len(whole) <= limit:
        return whole
    around = len(whole) - len(model.tokenize(text, add_special=False, parse_special=True))
    num_begin = len(model.begin_tokens)
    num_end = around - num_begin
    return whole[: limit - num_end] + whole[len(whole) - num_end :]


def _cut(vector: list[float], dimensions: int | None) -> list[float]:
    """Return a vector's first numbers; models that allow this were trained for it."""
    if not dimensions or not 0 < dimensions < len(vector):
        return vector
    return normalized(vector[:dimensions], _EUCLIDEAN)
