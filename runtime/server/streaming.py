"""Answers that are sent while they grow."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from runtime.errors import AppError
from runtime.server.generation import unless_gone
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
    return StreamingResponse(_sent(first, chunks, last_words), media_type=media_type)


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
