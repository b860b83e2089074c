"""Tests of the routes by which the page keeps chats on the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from runtime.engine.engine import Engine
from runtime.server.app import create_app
from runtime.server.history_file import HistoryFile
from runtime.server.safety.keys import KeyCheck
from runtime.server.safety.refusal import Guard
from runtime.server.state import ServerState

MESSAGE = {"id": "1", "chat": "a", "text": "Hello"}


@pytest.fixture
def http(engine: Engine, tmp_path: Path) -> Iterator[TestClient]:
    history = HistoryFile(tmp_path / "chats.db")
    app = create_app(ServerState(engine, "model", "", {}, 100, history=history))
    with TestClient(app) as client:
        yield client
    history.close()


def test_a_chat_is_kept_changed_found_and_forgotten(http: TestClient) -> None:
    """By the routes that the page uses."""
    body = {"record": {"title": "Foxes"}, "messages": [MESSAGE]}
    assert http.put("/history/chats/a", json=body).status_code == 200
    assert http.patch("/history/chats/a", json={"title": "Owls"}).status_code == 200
    assert http.get("/history/chats").json() == [{"title": "Owls", "id": "a"}]
    second = MESSAGE | {"text": "Bye"}
    assert http.put("/history/messages/2", json=second).status_code == 200
    assert http.get("/history/chats/a/messages").json() == [MESSAGE, second | {"id": "2"}]
    assert http.post("/history/find", json={"text": "BYE"}).json() == ["a"]
    assert http.post("/history/remove_messages", json=["1"]).status_code == 200
    assert len(http.get("/history/chats/a/messages").json()) == 1
    assert http.delete("/history/chats/a").status_code == 200
    assert http.get("/history/chats").json() == []


def test_what_is_no_message_is_refused(http: TestClient) -> None:
    """As a client's mistake."""
    response = http.put("/history/messages/2", json={"text": "x"})
    assert response.status_code == 400
    assert "has no chat" in response.json()["error"]["message"]


def test_without_a_file_there_is_nothing(engine: Engine) -> None:
    """The browser keeps the chats, and is told nothing of a file."""
    http = TestClient(create_app(ServerState(engine, "model", "", {}, 100)))
    assert http.get("/history/chats").status_code == 404


def test_chats_need_the_key(engine: Engine, tmp_path: Path) -> None:
    """Other than the page's own files."""
    history = HistoryFile(tmp_path / "chats.db")
    app = create_app(ServerState(engine, "model", "", {}, 100, history=history))
    http = TestClient(Guard(app, [KeyCheck(["secret"])]))
    assert http.get("/history/chats").status_code == 401
    assert http.get("/history/chats", headers={"X-Api-Key": "secret"}).status_code == 200
    history.close()
