"""Tests of `/lora-adapters` and of the scales in a body."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from runtime.engine.adapters import AdapterFile
from runtime.engine.engine import Engine
from runtime.engine.model import Model
from runtime.engine.types import Runner
from runtime.errors import DamagedFileError
from runtime.server.app import create_app
from runtime.server.fields.lora import LoraScale, lora_scales
from runtime.server.state import ServerState
from tests.runtime.server.test_app import _call


@pytest.fixture
def app() -> Iterator[Starlette]:
    """An application with two adapters whose model does not finish loading."""
    end = threading.Event()

    def load() -> tuple[Model, Runner]:
        end.wait()
        raise DamagedFileError("Never loaded.")

    files = (AdapterFile(Path("/x/a.gguf"), "a.gguf"), AdapterFile(Path("b"), "b", scale=0.5))
    engine = Engine(load, max_running=1, adapters=files)
    engine.start_thread()
    yield create_app(ServerState(engine, "model", "", {}, None))
    end.set()


def _listed(app: Starlette) -> list[dict[str, object]]:
    status, body = _call(app, "GET", "/lora-adapters")
    assert status == 200
    listed: list[dict[str, object]] = json.loads(body)
    return listed


def test_adapters_are_listed_as_llama_server_does(app: Starlette) -> None:
    """Each has its number, its name as a path, and its scale."""
    listed = _listed(app)
    assert listed[0] == {
        "id": 0,
        "path": "a.gguf",
        "scale": 1.0,
        "task_name": "",
        "prompt_prefix": "",
    }
    assert [one["scale"] for one in listed] == [1.0, 0.5]


def test_scales_are_set(app: Starlette) -> None:
    """What is named is set, and what is not named is turned off."""
    status, body = _call(app, "POST", "/lora-adapters", b'[{"id": 1, "scale": 0.25}]')
    assert (status, json.loads(body)) == (200, {"success": True})
    assert [one["scale"] for one in _listed(app)] == [0.0, 0.25]


@pytest.mark.parametrize("body", [b'[{"id": 2, "scale": 1}]', b"{}", b'[{"scale": 1}]', b"[1]"])
def test_wrong_scales_are_refused(app: Starlette, body: bytes) -> None:
    """An unknown adapter and another shape are a 400, and change nothing."""
    status, answer = _call(app, "POST", "/lora-adapters", body)
    assert (status, json.loads(answer)["error"]["type"]) == (400, "invalid_request_error")
    assert [one["scale"] for one in _listed(app)] == [1.0, 0.5]


def test_a_body_without_scales_leaves_the_choice_to_the_server() -> None:
    """As in llama-server, an empty list is none."""
    assert lora_scales(None) is None
    assert lora_scales([]) is None
    assert lora_scales([LoraScale(1, 0.5), LoraScale(0)]) == {1: 0.5, 0: 0.0}
