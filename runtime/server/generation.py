"""The bridge from the engine's thread to the event loop."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.engine import Engine
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest

T = TypeVar("T")


class ClientGoneError(Exception):
    """The client closed the connection before its answer was complete."""


async def answer_nobody(_request: Request, _error: Exception) -> Response:
    """Answer a client that has gone: with anything, for nothing is sent."""
    return Response(status_code=499)


async def generate(engine: Engine, request: GenerationRequest) -> AsyncGenerator[Event]:
    """Yield a request's events; closing the generator stops the engine's work on it.

    Raises:
        RequestError: The request cannot be done.
    """
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event] = asyncio.Queue()

    def emit(event: Event) -> None:
        # The loop is closed when the server ends while the engine finishes a batch.
        if not loop.is_closed():
            loop.call_soon_threadsafe(events.put_nowait, event)

    sequence = engine.submit(request, emit)
    try:
        while True:
            event = await events.get()
            yield event
            if isinstance(event, Finished | Failed):
                return
    finally:
        engine.cancel(sequence)


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """Wait for work whose result is worthless once the client has gone.

    Raises:
        ClientGoneError: The client closed the connection; the work was cancelled.
    """
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(_closed(request))
    await asyncio.wait((task, watcher), return_when=asyncio.FIRST_COMPLETED)
    watcher.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
        raise ClientGoneError
    return task.result()


async def _closed(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
