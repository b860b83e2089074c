"""Tests of what Ollama's clients ask about models, with its client and the real model."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ollama
import pytest

from runtime.server.dialects.ollama.models import parameter_size
from runtime.server.dialects.ollama.names import full_name, is_own
from tests.runtime.server.dialects.conftest import SYSTEM_PROMPT


def test_the_one_model_is_listed(client: ollama.Client, gguf: Path) -> None:
    """With its size, its date and what it is."""
    [model] = client.list().models
    assert model.model == "tested:latest"
    assert model.size == gguf.stat().st_size
    assert model.digest
    assert model.modified_at
    assert abs(model.modified_at.timestamp() - gguf.stat().st_mtime) < 1
    assert model.details
    assert model.details.format == "gguf"
    assert model.details.family == "llama"
    assert model.details.parameter_size == "134.52M"
    assert model.details.quantization_level == "Q4_1"


def test_the_model_is_always_loaded(client: ollama.Client) -> None:
    """It says with how much context, and for how long."""
    [model] = client.ps().models
    assert (model.name, model.context_length, model.size_vram) == ("tested:latest", 512, 0)
    assert model.expires_at
    assert model.expires_at > datetime.now(UTC) + timedelta(days=365)


def test_everything_is_shown(client: ollama.Client) -> None:
    """Of whatever name; numbers of the header are numbers, and texts are texts."""
    shown = client.show("whatever")
    assert shown.modelinfo
    assert shown.modelinfo["general.architecture"] == "llama"
    assert shown.modelinfo["llama.context_length"] == 8192
    assert shown.modelinfo["llama.rope.freq_base"] == 100_000.0
    assert shown.modelinfo["tokenizer.ggml.add_bos_token"] is False
    assert shown.modelinfo["general.parameter_count"] == 134_515_008
    assert shown.modelinfo["general.size_label"] == "135M"
    assert shown.capabilities == ["completion"]
    assert shown.template
    assert "<|im_start|>" in shown.template
    assert shown.license == "apache-2.0"
    assert shown.modelfile == f'FROM tested:latest\nSYSTEM """{SYSTEM_PROMPT}"""\n'


@pytest.mark.parametrize("stream", [False, True])
def test_the_model_inside_is_pulled_at_once(client: Any, stream: bool) -> None:
    """Clients pull before they ask; another model is not fetched."""
    for name in ("tested", "tested:latest", "Tested"):
        answer = client.pull(name, stream=stream)
        parts = list(answer) if stream else [answer]
        assert [part.status for part in parts] == ["success"]
    with pytest.raises(ollama.ResponseError, match="fetches no other") as caught:
        list(client.pull("llama3.2", stream=stream))
    assert caught.value.status_code == 501


def test_models_are_not_changed(client: ollama.Client, tmp_path: Path) -> None:
    """Making, copying, deleting and uploading are a 501 that says why."""
    blob = tmp_path / "blob"
    blob.write_bytes(b"x")
    for act in (
        lambda: client.create("new", from_="tested"),
        lambda: client.copy("tested", "new"),
        lambda: client.delete("tested"),
        lambda: client.push("tested"),
        lambda: client.create_blob(blob),
    ):
        with pytest.raises(ollama.ResponseError, match="has one model, built in") as caught:
            act()
        assert caught.value.status_code == 501


def _get(url: str, accept: str | None, method: str = "GET") -> tuple[str, bytes]:
    headers = {} if accept is None else {"Accept": accept}
    request = urllib.request.Request(url, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.headers["Content-Type"], response.read()


def test_the_root_is_a_page_or_a_word(chat_url: str) -> None:
    """Browsers ask for HTML and get the page; who asks for something else gets Ollama's word."""
    for accept in ("application/json", "*/*", "application/json, text/plain, */*"):
        kind, body = _get(f"{chat_url}/", accept)
        assert (kind, body) == ("text/plain; charset=utf-8", b"Ollama is running")
    for accepts in ("text/html,application/xhtml+xml,*/*;q=0.8", None):
        kind, body = _get(f"{chat_url}/", accepts)
        assert kind == "text/html; charset=utf-8"
        assert b"<title>" in body
    assert _get(f"{chat_url}/", "application/json", "HEAD")[1] == b""


def test_version_and_unknown_paths(chat_url: str) -> None:
    """The version is one of Ollama's; what is not there is told in its form."""
    kind, body = _get(f"{chat_url}/api/version", None)
    assert kind == "application/json"
    assert tuple(map(int, json.loads(body)["version"].split("."))) > (0, 6, 4)
    with pytest.raises(urllib.error.HTTPError) as caught:
        _get(f"{chat_url}/api/nothing", None)
    with caught.value as error:
        assert error.code == 404
        assert json.loads(error.read()) == {"error": "Not Found"}


@pytest.mark.parametrize(
    ("name", "full"),
    [("SmolLM2", "SmolLM2:latest"), ("a b/c", "a-b/c:latest"), ("x:7b", "x:7b")],
)
def test_names(name: str, full: str) -> None:
    """A name has a tag and no spaces."""
    assert full_name(name) == full
    assert is_own(full, name)
    assert not is_own("other", name)


@pytest.mark.parametrize(
    ("count", "text"),
    [(134_515_008, "134.52M"), (8_030_261_248, "8.0B"), (13_440, "13K")],
)
def test_parameter_sizes(count: int, text: str) -> None:
    """As Ollama writes them."""
    assert parameter_size(count) == text
