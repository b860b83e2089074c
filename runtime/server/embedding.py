"""Embeddings for every dialect: from texts or token ids to vectors."""

import asyncio

from runtime.engine.embedding import Embedded, Embedding, EmbeddingEvent, EmbeddingRequest
from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.engine.pooling import Pooling
from runtime.engine.sequence import Failed
from runtime.errors import RequestError
from runtime.server.errors import NotSupportedError
from runtime.server.json import Integer
from runtime.server.request_facts import current_facts
from runtime.server.state import ServerState

# OpenAI takes 2048; nobody sends more at once than it pays to batch.
MAX_INPUTS = 10_000

# A text or token ids, or a list of either.
Input = str | list[str | Integer | list[Integer]]


async def embed(
    state: ServerState, inputs: list[list[int]], normalize: int | None = None
) -> list[Embedding]:
    """Wait for the embeddings of inputs; cancelled, the engine's work on them stops.

    Raises:
        RequestError: An input cannot be embedded.
    """
    if len(inputs) > MAX_INPUTS:
        raise RequestError(
            f"There are {len(inputs)} inputs, and no more than {MAX_INPUTS} are taken."
        )
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
    if facts := current_facts.get():
        facts.add_prompts(map(len, inputs))
    assert isinstance(event, Embedded), "a job ends with one of two events"
    return event.embeddings


def _resolve(done: "asyncio.Future[EmbeddingEvent]", event: EmbeddingEvent) -> None:
    if not done.done():
        done.set_result(event)


def require_vectors(engine: Engine) -> None:
    """Check that the model makes embeddings.

    Raises:
        NotSupportedError: It ranks documents instead.
    """
    if engine.embeds.pooling is Pooling.RANK:
        raise NotSupportedError(
            "This model ranks documents and makes no embeddings.", hint="Ask /v1/rerank."
        )


def input_tokens(content: Input, model: Model) -> list[list[int]]:
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
