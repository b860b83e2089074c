"""Embeddings: OpenAI's `/v1/embeddings` and llama-server's `/embedding`."""

import asyncio
import base64
from array import array
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.engine.embedding import Embedded, Embedding, EmbeddingEvent, EmbeddingRequest
from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.engine.pooling import Pooling
from runtime.engine.sequence import Failed
from runtime.errors import RequestError
from runtime.server.errors import LoadingError, NotSupportedError
from runtime.server.generation import unless_gone
from runtime.server.json import JSONResponse, read_json
from runtime.server.state import ServerState, state_of

# A text or token ids, or a list of either.
Input = str | list[str | int | list[int]]


class EmbeddingBody(msgspec.Struct):
    """OpenAI's body, with llama-server's `embd_normalize`."""

    input: Input
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    embd_normalize: int | None = None


class NativeBody(msgspec.Struct):
    """llama-server's own body; `input` is another name for `content`."""

    content: Input | None = None
    input: Input | None = None
    embd_normalize: int | None = None


async def embeddings(request: Request) -> Response:
    """Answer `POST /v1/embeddings`."""
    state = ready_state(request)
    body = await read_json(request, EmbeddingBody)
    _require_vectors(state.engine)
    if state.engine.embeds.pooling is Pooling.NONE:
        raise RequestError(
            "Without pooling a text has no one embedding.",
            hint="Ask /embedding, or start with another --pooling.",
        )
    inputs = await asyncio.to_thread(_tokenize, body.input, state.engine.model)
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


async def native_embedding(request: Request) -> Response:
    """Answer llama-server's `POST /embedding`: a list of vectors for each input."""
    state = ready_state(request)
    body = await read_json(request, NativeBody)
    _require_vectors(state.engine)
    content = body.input if body.content is None else body.content
    if content is None:
        raise RequestError("The request has no content.")
    inputs = await asyncio.to_thread(_tokenize, content, state.engine.model)
    done = await unless_gone(request, embed(state, inputs, body.embd_normalize))
    return JSONResponse(
        [{"index": index, "embedding": embedding.vectors} for index, embedding in enumerate(done)]
    )


ROUTES = [
    Route("/v1/embeddings", embeddings, methods=["POST"]),
    Route("/embeddings", embeddings, methods=["POST"]),
    Route("/embedding", native_embedding, methods=["POST"]),
]


def ready_state(request: Request) -> ServerState:
    """Return the state of a server whose model is loaded.

    Raises:
        LoadingError: It is not.
    """
    state = state_of(request)
    if not state.engine.is_ready:
        raise LoadingError
    return state


async def embed(
    state: ServerState, inputs: list[list[int]], normalize: int | None = None
) -> list[Embedding]:
    """Wait for the embeddings of inputs; cancelled, the engine's work on them stops.

    Raises:
        RequestError: An input cannot be embedded.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[EmbeddingEvent] = loop.create_future()

    def emit(event: EmbeddingEvent) -> None:
        # The loop is closed when the server ends while the engine finishes a batch.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, done, event)

    chosen = state.embd_normalize if normalize is None else normalize
    job = state.engine.embed(EmbeddingRequest(inputs, chosen), emit)
    try:
        event = await done
    finally:
        state.engine.cancel(job)
    if isinstance(event, Failed):
        raise event.error
    assert isinstance(event, Embedded), "a job ends with one of two events"
    return event.embeddings


def _resolve(done: "asyncio.Future[EmbeddingEvent]", event: EmbeddingEvent) -> None:
    if not done.done():
        done.set_result(event)


def _require_vectors(engine: Engine) -> None:
    if engine.embeds.pooling is Pooling.RANK:
        raise NotSupportedError(
            "This model ranks documents and makes no embeddings.", hint="Ask /v1/rerank."
        )


def _tokenize(content: Input, model: Model) -> list[list[int]]:
    """Return the token ids of each input; a list of numbers is one input."""
    if isinstance(content, str):
        return [_tokens(content, model)]
    if content and all(isinstance(item, int) for item in content):
        return [[item for item in content if isinstance(item, int)]]
    inputs = []
    for item in content:
        if isinstance(item, int):
            raise RequestError("input mixes single token ids with texts or lists.")
        inputs.append(item if isinstance(item, list) else _tokens(item, model))
    return inputs


def _tokens(text: str, model: Model) -> list[int]:
    return model.tokenize(text, add_special=True, parse_special=True)


def _check_dimensions(asked: int | None, actual: int) -> None:
    """Refuse to cut vectors: what is left means something with few models, and none says so."""
    if asked not in (None, actual):
        raise RequestError(
            f"This model's embeddings have {actual} dimensions, and not {asked}.",
            hint="Leave dimensions out.",
        )


def _base64(vector: list[float]) -> str:
    return base64.b64encode(array("f", vector).tobytes()).decode()
