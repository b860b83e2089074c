"""The same requests to llama-server of the same source, where it was built, and to ours."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.testclient import TestClient

from tests.llama_server import built_llama_server

PROMPT = {"prompt": "The capital of France is", "temperature": 0, "n_predict": 4}
CHAT = {"messages": [{"role": "user", "content": "Hi"}]}
# What it tells of what is not here: adaptive-p, its parsers, pages, and loading of media.
NOT_HERE = {
    "adaptive_target", "adaptive_decay", "chat_format", "reasoning_format", "reasoning_in_content",
    "generation_prompt", "speculative.types", "backend_sampling", "media_marker", "ui_settings",
    "chat_template_caps", "cors_proxy_enabled",
}  # fmt: skip


@pytest.fixture(scope="module")
def other(gguf: Path) -> Iterator[httpx.Client]:
    """A client of llama-server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [built_llama_server(), "-m", gguf, "--port", str(port)]
    with (
        subprocess.Popen(
            [*map(str, command), "-c", "2048", "-np", "2", "-t", "1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        try:
            _wait(client)
            yield client
        finally:
            process.terminate()


def _wait(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.ConnectError:
            pass
        time.sleep(0.1)
    raise AssertionError("llama-server is not ready in time")


def _told(text: str) -> Any:
    """Return an answer's JSON; of a stream the last event's."""
    last = text.removesuffix("data: [DONE]\n\n").strip().split("\n\n")[-1]
    return msgspec.json.decode(last.removeprefix("data: "))


def _check_fields(theirs: Any, ours: Any, place: str = "") -> None:
    """Check that ours has every field of theirs, of the same kind of value."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), place
        assert set(theirs) - NOT_HERE <= set(ours), place
        for name in set(theirs) - NOT_HERE:
            _check_fields(theirs[name], ours[name], f"{place}/{name}")
    elif isinstance(theirs, list) and theirs:
        assert isinstance(ours, list), place
        assert len(ours) == len(theirs) or place.endswith(("aliases", "tags")), place
        _check_fields(theirs[0], ours[0], f"{place}/0") if ours else None
    else:
        numbers = isinstance(theirs, int | float) and isinstance(ours, int | float)
        assert numbers or type(ours) is type(theirs), place


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/health", None),
        ("GET", "/v1/models", None),
        ("GET", "/models", None),
        ("GET", "/props", None),
        ("POST", "/completion", PROMPT),
        ("POST", "/completions", PROMPT),
        ("POST", "/completion", PROMPT | {"stream": True}),
        ("POST", "/completion", PROMPT | {"n_probs": 2}),
        ("POST", "/completion", PROMPT | {"n_probs": 2, "post_sampling_probs": True}),
        ("POST", "/completion", PROMPT | {"response_fields": ["content", "timings/cache_n"]}),
        ("POST", "/v1/completions", PROMPT | {"logprobs": 2}),
        ("POST", "/v1/chat/completions", CHAT | {"max_tokens": 2, "timings_per_token": True}),
        ("POST", "/chat/completions/input_tokens", CHAT),
        ("POST", "/v1/responses/input_tokens", {"input": "Hi"}),
        ("POST", "/tokenize", {"content": "Hi 😀", "with_pieces": True}),
        ("POST", "/detokenize", {"tokens": [1, 2]}),
        ("POST", "/apply-template", CHAT),
    ],
)
def test_answers_have_its_fields(
    other: httpx.Client, http: TestClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """Ours may have more."""
    theirs, ours = (one.request(method, path, json=body) for one in (other, http))
    assert theirs.status_code == ours.status_code == 200
    _check_fields(_told(theirs.text), _told(ours.text))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tokenize", {"content": "Hello, Wörld é 😀 <|im_start|>", "with_pieces": True}),
        ("/tokenize", {"content": ["Hello", 1, "x"]}),
        ("/detokenize", {"tokens": [19556, 28, 1]}),
        ("/apply-template", CHAT),
        ("/v1/chat/completions/input_tokens", CHAT),
    ],
)
def test_answers_are_its_own(
    other: httpx.Client, http: TestClient, path: str, body: dict[str, Any]
) -> None:
    """Where nothing is left to chance or rounding."""
    assert http.post(path, json=body).json() == other.post(path, json=body).json()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nothing", None),
        ("POST", "/props", {}),
        ("POST", "/slots/0?action=save", {"filename": "x"}),
        ("POST", "/infill", {"input_prefix": "a", "input_suffix": "b"}),
        ("POST", "/completion", {"prompt": []}),
        ("POST", "/completion", {}),
        ("POST", "/completion", {"prompt": 5}),
        ("POST", "/completion", PROMPT | {"temperature": "hot"}),
        ("POST", "/completion", PROMPT | {"n_cmpl": 99}),
        ("POST", "/completion", PROMPT | {"grammar": "bad ::"}),
        ("POST", "/completion", {"prompt": [999999]}),
        ("POST", "/completion", {"prompt": "x " * 3000}),
        ("POST", "/v1/completions", []),
        ("POST", "/v1/chat/completions", {}),
        ("POST", "/apply-template", {}),
    ],
)
def test_errors_are_its_own(
    other: httpx.Client, http: TestClient, method: str, path: str, body: Any
) -> None:
    """The same status, type and fields; the sentence is ours."""
    theirs, ours = (one.request(method, path, json=body) for one in (other, http))
    assert ours.status_code == theirs.status_code
    told, expected = ours.json()["error"], theirs.json()["error"]
    assert (told["type"], told["code"]) == (expected["type"], expected["code"])
    assert set(told) == set(expected)


@pytest.mark.parametrize(
    ("method", "path", "content", "ours", "theirs"),
    [
        ("GET", "/v1/completions", b"", 405, 404),
        ("POST", "/completion", b"{bad", 400, 500),
        ("POST", "/tokenize", b'{"content": 5}', 400, 500),
        ("POST", "/detokenize", b'{"tokens": [-1]}', 400, 500),
    ],
)
def test_a_clients_mistakes_are_told_as_such(
    other: httpx.Client,
    http: TestClient,
    method: str,
    path: str,
    content: bytes,
    ours: int,
    theirs: int,
) -> None:
    """The departures: what llama-server takes for a failure of its own, or for no such path."""
    assert http.request(method, path, content=content).status_code == ours
    assert other.request(method, path, content=content).status_code == theirs
