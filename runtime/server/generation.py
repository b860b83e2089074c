"""The bridge from the engine's thread to the event loop."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable
from functools import partial
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.engine import Engine
from runtime.engine.sequence import Event, Failed, Finished, GenerationRequest, Sequence
from runtime.server.request_facts import current_facts

T = TypeVar("T")


class ChoiceEvent(msgspec.Struct, frozen=True):
    """An event of one of the choices for a prompt.

    Args:
        index: The choice's number, from 0.
        event: What happened.
    """

    index: int
    event: Event


class ClientGoneError(Exception):
    """The client closed the connection before its answer was complete."""


async def answer_nobody(_request: Request, _error: Exception) -> Response:
    """Answer a client that has gone: with anything, for nothing is sent."""
    return Response(status_code=499)


async def generate(
    engine: Engine, requests: Iterable[GenerationRequest]
) -> AsyncGenerator[ChoiceEvent]:
    """Yield the events of requests that run side by side, until each has ended.

    Closing the generator stops the engine's work on all of them.

    Raises:
        RequestError: A request cannot be done.
    """
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[ChoiceEvent] = asyncio.Queue()
    sequences: list[Sequence] = []
    prompt_sizes: dict[int, int] = {}
    facts = current_facts.get()

    def emit(index: int, event: Event) -> None:
        # The loop is closed when the server ends while the engine finishes a batch.
        if not loop.is_closed():
            loop.call_soon_threadsafe(events.put_nowait, ChoiceEvent(index, event))

    try:
        for index, request in enumerate(requests):
            sequences.append(engine.submit(request, partial(emit, index)))
            # Several choices have one prompt.
            prompt_sizes[id(request.prompt)] = len(request.prompt)
        if facts:
            facts.add_prompts(prompt_sizes.values())
        num_unfinished = len(sequences)
        while num_unfinished:
            event = await events.get()
            num_unfinished -= isinstance(event.event, Finished | Failed)
            if facts and isinstance(event.event, Finished):
                facts.add_completion(event.event.stats.completion_tokens)
            yield event
    finally:
        for sequence in sequences:
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
