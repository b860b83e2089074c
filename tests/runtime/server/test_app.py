"""Tests of the application while no model is there, called without a network."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.engine.sampling import SamplingParams
from runtime.engine.types import Runner
from runtime.errors import DamagedFileError
from runtime.server.app import create_app
from runtime.server.state import ServerState


@pytest.fixture
def app() -> Iterator[Starlette]:
    """An application whose model does not finish loading."""
    end = threading.Event()

    def load() -> tuple[Model, Runner]:
        end.wait()
        raise DamagedFileError("Never loaded.")

    engine = Engine(load, max_running=1)
    engine.start_thread()
    yield create_app(ServerState(engine, "a <b> model", "", SamplingParams(), None))
    end.set()


def _call(app: Starlette, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Send one request through the application's own interface."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), ("POST", "/v1/chat/completions")])
def test_loading_is_said(app: Starlette, method: str, path: str) -> None:
    """While the model loads, health and completions answer 503 in llama-server's words."""
    status, body = _call(app, method, path, b'{"messages": []}')
    assert status == 503
    assert json.loads(body)["error"] == {
        "code": 503,
        "message": "Loading model",
        "type": "unavailable_error",
    }


def test_the_page_is_there_at_once(app: Starlette) -> None:
    """The page does not wait for the model, and a model's name cannot break it."""
    status, body = _call(app, "GET", "/")
    assert status == 200
    assert b"a &lt;b&gt; model" in body


def test_unknown_paths_get_the_error_object(app: Starlette) -> None:
    """What is not there answers 404 as JSON."""
    status, body = _call(app, "GET", "/nothing")
    assert (status, json.loads(body)["error"]["type"]) == (404, "not_found_error")
