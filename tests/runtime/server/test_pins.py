"""Tests of `/v1/prompts` with the real model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.weights import Weights
from runtime.server.app import create_app
from runtime.server.state import ServerState

SYSTEM = "You answer for the harbour office. Ships dock from six to nine. " * 6


@pytest.fixture(scope="module")
def http(binding: None, gguf: Path) -> Iterator[TestClient]:
    """An application with little room, and few requests at once."""
    weights = Weights(gguf, 0, gguf.stat().st_size)
    engine = Engine.start(EngineOptions(weights, n_ctx=512, max_running=2, n_threads=1))
    app = create_app(ServerState(engine, "tested", "", {}, 8))
    engine.wait_until_loaded()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
    engine.stop()


def _pin(http: TestClient, system: str, **fields: Any) -> Any:
    body = {"messages": [{"role": "system", "content": system}]}
    return http.post("/v1/prompts", json=body | fields)


def _ask(http: TestClient, system: str, question: str) -> Any:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    body = {"messages": messages, "max_tokens": 4, "temperature": 0}
    return http.post("/v1/chat/completions", json=body).json()["usage"]


def _cached(usage: Any) -> int:
    cached: int = usage["prompt_tokens_details"]["cached_tokens"]
    return cached


def test_a_pinned_prompt_is_there_for_the_first_request_and_after_many_others(
    http: TestClient,
) -> None:
    """It is computed when the answer comes, listed, outlives others, and can be released."""
    pinned = _pin(http, SYSTEM).json()
    assert (pinned["object"], pinned["source"], pinned["loaded"]) == ("prompt", "request", True)
    assert _cached(_ask(http, SYSTEM, "When do ships dock?")) == pinned["tokens"]
    for number in range(6):
        _ask(http, f"{number} is a number, and here is a long story about it. " * 12, "What?")
    assert _cached(_ask(http, SYSTEM, "Where is it?")) == pinned["tokens"]
    assert http.get("/v1/prompts").json() == {"object": "list", "data": [pinned]}
    released = http.delete(f"/v1/prompts/{pinned['id']}")
    assert released.json() == {"id": pinned["id"], "object": "prompt.deleted", "deleted": True}
    assert http.get("/v1/prompts").json()["data"] == []
    assert http.delete(f"/v1/prompts/{pinned['id']}").status_code == 404


def test_pinning_twice_is_pinning_once(http: TestClient) -> None:
    """The answer is the same, and so is the list."""
    first, second = _pin(http, SYSTEM).json(), _pin(http, SYSTEM, model="any").json()
    assert first == second
    assert len(http.get("/v1/prompts").json()["data"]) == 1
    http.delete(f"/v1/prompts/{first['id']}")


def test_a_request_that_needs_every_cell_is_answered(http: TestClient) -> None:
    """The pinned prompt gives way, and is pinned again once a request begins like it."""
    pinned = _pin(http, SYSTEM).json()
    huge = _ask(http, "One. Two. Three. Four. " * 55, "What?")
    assert huge["prompt_tokens"] + pinned["tokens"] > 512
    [told] = http.get("/v1/prompts").json()["data"]
    assert not told["loaded"]
    assert _cached(_ask(http, SYSTEM, "What?")) < pinned["tokens"]
    assert http.get("/v1/prompts").json()["data"] == [pinned]
    http.delete(f"/v1/prompts/{pinned['id']}")


@pytest.mark.parametrize(
    ("system", "fields", "message"),
    [
        (SYSTEM * 4, {}, "of the context's 512 256 are left to be pinned"),
        (SYSTEM, {"lora": [{"id": 3}]}, "no LoRA adapter 3"),
        (SYSTEM, {"chat_template_kwargs": {"messages": []}}, "messages"),
        (SYSTEM, {"max_tokens": 4}, "unknown field `max_tokens`"),
    ],
)
def test_what_cannot_be_pinned(
    http: TestClient, system: str, fields: dict[str, Any], message: str
) -> None:
    """A sentence says why, and nothing stays."""
    answer = _pin(http, system, **fields)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
    assert http.get("/v1/prompts").json()["data"] == []


def test_images_are_not_pinned(http: TestClient) -> None:
    """They are refused before anything reads them."""
    image = {"type": "image_url", "image_url": "data:image/png;base64,AAAA"}
    messages = [{"role": "user", "content": [image]}]
    answer = http.post("/v1/prompts", json={"messages": messages})
    assert answer.status_code == 400
    assert "not pinned" in answer.json()["error"]["message"]
