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
    yield create_app(ServerState(engine, "a <b> model", "", {}, None))
    end.set()


def _call(app: Starlette, method: str, path: str, body: bytes | None = b"") -> tuple[int, bytes]:
    """Send one request and return the status and the body of its answer."""
    sent = _messages(app, method, path, body)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def _messages(app: Starlette, method: str, path: str, body: bytes | None = b"") -> list[Message]:
    """Send one request through the application's own interface; without a body it breaks off."""
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
    to_receive: list[Message] = [{"type": "http.request", "body": body}] if body is not None else []

    async def receive() -> Message:
        return to_receive.pop() if to_receive else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/health"), ("GET", "/metrics"), ("POST", "/v1/chat/completions")],
)
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


def test_health_tells_of_a_failed_engine() -> None:
    """It is not loading any more; and where the file lies is nobody's business."""

    def load() -> tuple[Model, Runner]:
        raise DamagedFileError("/home/me/model.gguf is damaged.")

    engine = Engine(load, max_running=1)
    engine.start_thread()
    with pytest.raises(DamagedFileError):
        engine.wait_until_loaded()
    status, body = _call(create_app(ServerState(engine, "", "", {}, None)), "GET", "/health")
    assert (status, json.loads(body)["error"]["type"]) == (500, "server_error")
    assert b"/home" not in body


def test_unknown_paths_get_the_error_object(app: Starlette) -> None:
    """What is not there answers 404 as JSON."""
    status, body = _call(app, "GET", "/nothing")
    assert (status, json.loads(body)["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/page/app.js", 200, b"text/javascript; charset=utf-8"),
        ("/page/app.css", 200, b"text/css; charset=utf-8"),
        ("/page/icon.svg", 200, b"image/svg+xml"),
        ("/page/index.html", 404, b"application/json"),
        ("/page/../app.py", 404, b"application/json"),
    ],
)
def test_the_pages_files_are_served(app: Starlette, path: str, status: int, kind: bytes) -> None:
    """Scripts and styles have their types, and what is not the page's own is not there."""
    sent = _messages(app, "GET", path)
    headers = dict(sent[0]["headers"])
    assert (sent[0]["status"], headers[b"content-type"]) == (status, kind)
    if status == 200:
        assert headers[b"cache-control"] == b"no-cache"


def test_a_client_that_goes_before_its_request_is_whole_is_no_failure(
    app: Starlette, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that closes inside the body is answered to nobody, and not logged."""
    monkeypatch.setattr(Engine, "is_ready", True)
    assert _call(app, "POST", "/v1/chat/completions", None)[0] == 499
    assert caplog.text == ""


def test_an_unexpected_failure_is_logged(
    app: Starlette, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong inside stands in the log, with the request and the reason."""
    monkeypatch.setattr("runtime.server.pages._environment", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _call(app, "GET", "/")
    assert "GET / failed." in caplog.text
    assert "ZeroDivisionError" in caplog.text
