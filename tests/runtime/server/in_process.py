"""The application with a real engine at a real port, in this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.pooling import Pooling
from runtime.engine.weights import Weights
from runtime.payload import Payload
from runtime.server.app import create_app
from runtime.server.state import ServerState


@contextmanager
def serving(
    gguf: Path,
    pooling: Pooling | None = None,
    *,
    max_tokens: int = 16,
    system_prompt: str = "",
    timeout_s: float | None = None,
) -> Iterator[str]:
    """Serve a model and give the address, without a slash at the end."""
    weights = Weights(gguf, 0, gguf.stat().st_size)
    engine = Engine.start(EngineOptions(weights, n_ctx=512, n_threads=1, pooling=pooling))
    engine.wait_until_loaded()
    payload = Payload(gguf, weights, None)
    state = ServerState(
        engine, "tested", system_prompt, {}, max_tokens, timeout_s=timeout_s, payload=payload
    )
    app = create_app(state)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            engine.stop()
