"""Running the application until someone ends it."""

import asyncio
import signal
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from socket import socket

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import Server

from runtime.engine.engine import Engine
from runtime.server.ending import Ending
from runtime.server.listening import Listener
from runtime.server.safety.connection import Connection
from runtime.server.safety.options import Safety

# Answers that still stream get this long before their connections are closed.
GRACE_S = 1
# How often the engine is looked at: whether it failed, and before that, whether it loaded.
WATCH_S = 1.0
LOADING_WATCH_S = 0.05
# A connection that nothing was asked on for so long is closed. Clients that keep one for later
# mostly drop it sooner, so they seldom find it closed.
KEEP_ALIVE_S = 30
# As long as a request's headers may take.
TLS_HANDSHAKE_S = 10.0
# Prompts are made on threads, and those with images wait for each other there. asyncio's own few
# would soon be none for texts.
MAX_THREADS = 64
_BACKLOG = 2048


class _Server(Server):
    """uvicorn, with our own signals and connections, and a word when it listens."""

    def __init__(
        self,
        config: Config,
        safety: Safety,
        ending: Ending,
        engine: Engine,
        when_listening: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._safety = safety
        self._ending = ending
        self._engine = engine
        self._when_listening = when_listening

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        connect = partial(
            Connection,
            self.config,
            self.server_state,
            self.lifespan.state,
            loop,
            limits=self._safety.connections,
        )
        tls = self._safety.tls
        self.servers = [
            await loop.create_server(
                connect,
                sock=listening,
                backlog=_BACKLOG,
                ssl=tls,
                ssl_handshake_timeout=TLS_HANDSHAKE_S if tls else None,
            )
            for listening in sockets or []
        ]
        self.started = True
        self._when_listening()

    async def on_tick(self, counter: int) -> bool:
        """End when nothing is left to wait for; called ten times a second."""
        num_running = len(self.server_state.tasks)
        is_loading = not (self._engine.is_ready or self._engine.error)
        if self._safety.drain.is_over(num_running) or self._ending.is_due(
            num_running, self.server_state.total_requests, is_loading=is_loading
        ):
            self.should_exit = True
        if self.should_exit:
            self._ending.begin()
        return await super().on_tick(counter)

    def fail(self) -> None:
        """End, as the engine cannot work; or stay until the page has told that."""
        if self._ending.outlives_failure:
            self._ending.has_failed()
        else:
            self.should_exit = True

    def end(self, number: int) -> None:
        """End by a signal: SIGTERM lets running answers finish; Ctrl-C and a second one do not."""
        self._ending.begin()
        if number == signal.SIGTERM and not self._safety.drain.has_begun:
            self._safety.drain.begin()
            return
        self.force_exit = self.should_exit or self._safety.drain.has_begun
        self.should_exit = True


def serve(
    app: ASGIApp,
    listener: Listener,
    engine: Engine,
    safety: Safety,
    ending: Ending,
    *,
    when_listening: Callable[[], None],
) -> None:
    """Serve until Ctrl-C, SIGTERM, the end by itself, or the model cannot be loaded.

    Raises:
        AppError: The model could not be loaded, or the engine failed later, and no page told it.
    """
    config = Config(
        safety.around(app),
        loop="asyncio",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config, safety, ending, engine, when_listening)
    asyncio.run(_serve(server, listener, engine))
    if engine.error and not ending.outlives_failure:
        raise engine.error


async def _serve(server: _Server, listener: Listener, engine: Engine) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: server.end(number))
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MAX_THREADS, "request"))
    watcher = asyncio.create_task(_end_without_engine(engine, server))
    await server.serve(sockets=[listener.socket])
    watcher.cancel()


async def _end_without_engine(engine: Engine, server: _Server) -> None:
    """End the server when loading fails, or the engine does later."""
    while True:
        if engine.error:
            server.fail()
            return
        await asyncio.sleep(WATCH_S if engine.is_ready else LOADING_WATCH_S)
