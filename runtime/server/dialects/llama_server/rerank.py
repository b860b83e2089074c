"""`/v1/rerank`: documents by how well they answer a query, in Jina's form and that of TEI."""

import asyncio
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.pooling import Pooling
from runtime.errors import RequestError
from runtime.server.embedding import embed
from runtime.server.errors import NotSupportedError
from runtime.server.generation import unless_gone
from runtime.server.json import Integer, JSONResponse
from runtime.server.state import ready_state


class Document(msgspec.Struct):
    """A document as an object."""

    text: str


class RerankBody(msgspec.Struct):
    """Jina's body, or with `texts` that of Hugging Face's TEI."""

    query: str
    documents: list[str | Document] | None = None
    texts: list[str] | None = None
    top_n: Integer | None = None
    return_documents: bool = False
    return_text: bool = False


async def rerank(request: Request, body: RerankBody) -> Response:
    """Answer `POST /v1/rerank`: the best document first, with the model's own score."""
    state = ready_state(request)
    if state.engine.embeds.pooling is not Pooling.RANK:
        raise NotSupportedError("This model does not rank.", hint="Use one made to rerank.")
    given = body.texts if body.documents is None else body.documents
    if not given:
        raise RequestError("There are no documents.")
    if body.top_n is not None and body.top_n < 1:
        raise RequestError(f"top_n is {body.top_n}, and must be at least 1.")
    texts = [item.text if isinstance(item, Document) else item for item in given]
    pair = state.engine.model.query_and_document
    inputs = await asyncio.to_thread(_pairs, pair, body.query, texts)
    done = await unless_gone(request, embed(state, inputs))
    scores = [embedding.vectors[0][0] for embedding in done]
    best = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)[: body.top_n]
    if body.documents is None:
        return JSONResponse(
            [
                {"index": index, "score": scores[index]}
                | ({"text": texts[index]} if body.return_text else {})
                for index in best
            ]
        )
    num_tokens = sum(map(len, inputs))
    return JSONResponse(
        {
            "object": "list",
            "model": state.name,
            "results": [
                {"index": index, "relevance_score": scores[index]}
                | ({"document": {"text": texts[index]}} if body.return_documents else {})
                for index in best
            ],
            "usage": {"prompt_tokens": num_tokens, "total_tokens": num_tokens},
        }
    )


def _pairs(pair: Callable[[str, str], list[int]], query: str, texts: list[str]) -> list[list[int]]:
    return [pair(query, text) for text in texts]
