"""Running the application until someone ends it."""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from socket import socket

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import Server

from runtime.engine.engine import Engine
from runtime.server.listening import Listener

# Answers that still stream get this long before their connections are closed.
GRACE_S = 1
# How often the engine is looked at: whether it failed, and before that, whether it loaded.
WATCH_S = 1.0
LOADING_WATCH_S = 0.05


class _Server(Server):
    """uvicorn, with our own signals and a word when it listens."""

    def __init__(self, config: Config, when_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_listening = when_listening

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_listening()


def serve(
    app: ASGIApp, listener: Listener, engine: Engine, *, when_listening: Callable[[], None]
) -> None:
    """Serve until Ctrl-C, SIGTERM, or the model cannot be loaded.

    Raises:
        AppError: The model could not be loaded, or the engine failed later.
    """
    config = Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    asyncio.run(_serve(_Server(config, when_listening), listener, engine))
    if engine.error:
        raise engine.error


async def _serve(server: _Server, listener: Listener, engine: Engine) -> None:
    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    watcher = asyncio.create_task(_end_without_engine(engine, end))
    await server.serve(sockets=[listener.socket])
    watcher.cancel()


async def _end_without_engine(engine: Engine, end: Callable[[], None]) -> None:
    """End the server when loading fails, or the engine does later."""
    while True:
        if engine.error:
            end()
            return
        await asyncio.sleep(WATCH_S if engine.is_ready else LOADING_WATCH_S)
