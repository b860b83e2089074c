"""Answers that are sent while they grow."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from runtime.errors import AppError
from runtime.server.generation import ClientGoneError, unless_gone
from runtime.server.json import encode

logger = logging.getLogger(__name__)

EVENT_STREAM = "text/event-stream"


def server_sent(data: Any, *, event: str = "") -> bytes:
    """Return a server-sent event with JSON in it."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + encode(data) + b"\n\n"


async def stream(
    request: Request,
    chunks: AsyncGenerator[bytes],
    last_words: Callable[[Exception], bytes],
    *,
    media_type: str = EVENT_STREAM,
) -> Response:
    """Return a response that sends chunks as they come.

    What is wrong with a request shows before the first chunk, while a status can be sent.

    Args:
        request: The request to answer.
        chunks: What to send.
        last_words: Returns the chunk that tells of an error after the first one.
        media_type: What the chunks are.

    Raises:
        AppError: The first chunk failed.
        ClientGoneError: The client closed the connection before it.
    """
    first = await unless_gone(request, anext(chunks))
    return _Stream(_sent(first, chunks, last_words), media_type=media_type)


class _Stream(StreamingResponse):
    """starlette's, which watches for the client's end with a package that takes long to import."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientGoneError):
            await unless_gone(Request(scope, receive), self.stream_response(send))


async def _sent(
    first: bytes, chunks: AsyncGenerator[bytes], last_words: Callable[[Exception], bytes]
) -> AsyncGenerator[bytes]:
    async with aclosing(chunks):
        yield first
        try:
            async for chunk in chunks:
                yield chunk
        except AppError as error:
            yield last_words(error)
        except Exception as error:
            logger.exception("An answer that was being sent failed.")
            yield last_words(error)
