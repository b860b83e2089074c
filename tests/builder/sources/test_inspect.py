"""Looking at sources: a file here, and a repository of which only headers are fetched."""

import json
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.errors import SourceError
from builder.gguf.header import read_header
from builder.inspect import inspect_source
from builder.memory_need import cache_bytes, overhead_bytes
from builder.sources import hub_header
from builder.sources.gguf_file import GgufFile
from builder.sources.hub import HubModel
from tests.builder.fake_hub import FakeHub, Repository
from tests.builder.tiny_gguf import write_gguf


def test_memory(gguf: Path) -> None:
    """SmolLM2 has 30 layers with 3 heads of 64 numbers for keys and as many for values."""
    header = read_header(gguf)
    assert cache_bytes(header, 4096) == 30 * 4096 * 3 * (64 + 64) * 2 == 94_371_840
    assert overhead_bytes(header) == (96 << 20) + 512 * 49152 * 4


def test_a_file(gguf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """All is told of the one model, in words and as JSON."""
    assert run(["inspect", str(gguf), "--json", "--ctx-size", "2048"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["architecture"], found["n_params"]) == ("llama", 134_515_008)
    assert (found["n_ctx_train"], found["n_ctx"], found["has_template"]) == (8192, 2048, True)
    (choice,) = found["choices"]
    assert choice["size"] == gguf.stat().st_size
    assert choice["memory"] == choice["size"] + found["cache_bytes"] + found["overhead_bytes"]
    assert run(["inspect", str(gguf)]) == 0
    assert "KV cache:      94.4 MB with 4096 tokens" in capfd.readouterr().out


def test_a_repository(hub: FakeHub, repository: Repository) -> None:
    """All models are listed, the default first; of one, the first megabytes are fetched."""
    (name,) = hub.repositories
    repository.files["Tiny-Q4_K_M.gguf"] += bytes(5 << 20)
    found = inspect_source(HubModel(name), 0)
    assert found.choices[0].files == ["Tiny-Q4_K_M.gguf"]
    assert {"Q4_K_M", "Q8_0"} <= {one.quantization for one in found.choices}
    assert all(
        one.size == sum(len(repository.files[file]) for file in one.files) for one in found.choices
    )
    fetched = [request for request in hub.requests if "/resolve/" in request]
    assert [request.rpartition(" ")[2] for request in fetched] == ["bytes=0-2097151"]


def test_what_is_known_of_licence_and_projector(
    repository: Repository, capfd: pytest.CaptureFixture[str], hub: FakeHub
) -> None:
    """Both are told before anything is downloaded, and the projector takes memory, too."""
    (name,) = hub.repositories
    repository.tags, repository.gated = [], "auto"
    repository.card = {"license": "llama3.2", "base_model": "acme/Tiny"}
    found = inspect_source(HubModel(name), 0)
    size = len(repository.files["mmproj-Tiny-F16.gguf"])
    assert (found.projector, found.projector_size) == ("mmproj-Tiny-F16.gguf", size)
    choice = found.choices[0]
    assert choice.memory == choice.size + size + found.cache_bytes + found.overhead_bytes
    assert (found.license, found.base_model) == ("llama3.2", ["acme/Tiny"])
    gate, terms = found.notes
    assert "only to people who accepted its terms" in gate
    assert terms.startswith("Llama 3.2 Community License lets you pass the model on")
    assert run(["inspect", f"hf:{name}"]) == 0
    told = capfd.readouterr().out
    assert "Projector:     mmproj-Tiny-F16.gguf" in told
    assert "Base model:    acme/Tiny" in told
    assert gate in told


def test_a_header_of_several_blocks(
    hub: FakeHub, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header longer than one block is read the same as from the whole file."""
    (name,) = hub.repositories
    monkeypatch.setattr(hub_header, "BLOCK_BYTES", 500)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(repository.files["Tiny-Q4_K_M.gguf"])
    here, there = inspect_source(GgufFile(path), 0), inspect_source(HubModel(name), 0)
    assert there.n_params == here.n_params
    assert there.cache_bytes == here.cache_bytes
    assert sum("/resolve/" in request for request in hub.requests) > 2


def test_what_llama_cpp_does_not_quantize(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is told all the same."""
    found = inspect_source(GgufFile(write_gguf(tmp_path / "odd.gguf")), 0)
    assert (found.choices[0].quantization, found.quantizable) == ("F32", [])
    assert "What it could be quantized to is not known. Quant" in capsys.readouterr().err


def test_a_repository_that_is_not_there(hub: FakeHub) -> None:
    """It is told as `build` tells it."""
    with pytest.raises(SourceError, match="The hub has no repository acme/Nothing"):
        inspect_source(HubModel("acme/Nothing"), 0)
