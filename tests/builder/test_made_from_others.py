"""Solofiles made from what other programs keep, with a kit whose launcher is a shell script."""

import json
from pathlib import Path

import pytest

from builder import make
from builder.__main__ import run
from builder.kit.kit import Kit
from runtime.container import Container
from runtime.errors import DamagedFileError
from runtime.manifest import Manifest, read_manifest
from runtime.verify import verify
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_llamafile import write_llamafile
from tests.builder.tiny_ollama import TinyOllama
from tests.tiny_projector import write_tiny_projector


@pytest.fixture(autouse=True)
def workplace(
    tmp_path: Path, tiny_kit: Kit, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, a kit and a cache of the test's own."""
    monkeypatch.setattr(make, "ensure_kit", lambda target, **options: tiny_kit)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    own_cache.mkdir()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A small GGUF."""
    return write_gguf(tmp_path / "weights.gguf", metadata={"llama.embedding_length": 48})


@pytest.fixture
def store(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> TinyOllama:
    """An Ollama store with one model."""
    (tmp_path / "ollama").mkdir()
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    store = TinyOllama(tmp_path / "ollama")
    layers: list[tuple[str, bytes | Path]] = [
        ("model", weights),
        ("template", b"<|im_start|>{{ .Prompt }}"),
        ("system", b"You are a pirate."),
        ("params", b'{"temperature": 0.2, "num_ctx": 512, "num_gpu": 1}'),
        ("license", b"Do as you like."),
    ]
    store.add("registry.ollama.ai/library/tiny/1b", layers)
    return store


def manifest_of(path: Path) -> Manifest:
    """Return a solofile's manifest, once it is sound."""
    assert verify(path) == []
    with Container.open(path) as container:
        return read_manifest(container)


def test_from_ollama(
    store: TinyOllama, weights: Path, own_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Settings, licence and origin are in it; the weights are copied nowhere else."""
    assert run(["build", "ollama:tiny:1b", "-o", "out", "--set", "temp=0.9", "--json"]) == 0
    told = capfd.readouterr()
    manifest = manifest_of(Path("out"))
    assert manifest.name == "tiny-1b"
    assert manifest.weights.sha256 == store.blob(weights).name.removeprefix("sha256-")
    assert manifest.defaults == {
        "ctx_size": 512,
        "system_prompt": "You are a pirate.",
        "temp": 0.9,
    }
    assert "LICENSES/LICENSE" in [entry.name for entry in manifest.entries]
    report = json.loads(told.out)
    assert report["source"].startswith("ollama:tiny:1b (")
    assert report["origin"]["repository"] == "registry.ollama.ai/library/tiny"
    assert report["origin"]["files"][1]["sha256"] == manifest.weights.sha256
    assert len(report["notes"]) == 2
    assert all(note in told.err for note in report["notes"])
    assert str(store.folder).encode() not in Path("out").read_bytes()
    assert list(own_cache.iterdir()) == []
    assert weights.samefile(store.blob(weights))
    assert weights.stat().st_nlink == 2


def test_weights_that_are_not_what_the_store_promises(
    store: TinyOllama, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A blob whose digest is not its name is found while it is packed."""
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    store.blob(weights).write_bytes(data)
    assert run(["build", "ollama:tiny:1b", "-o", "out"]) == DamagedFileError.exit_code
    assert "is damaged: it is not the file its origin tells of" in capsys.readouterr().err
    assert not Path("out").exists()


def test_from_a_llamafile(weights: Path, tmp_path: Path, own_cache: Path) -> None:
    """The weights are taken out of the middle of it, without a stop in the cache."""
    path = write_llamafile(
        tmp_path / "old.llamafile",
        {"Tiny.F32.gguf": weights, "small.gguf": weights},
        "-m\nTiny.F32.gguf\n-md\nsmall.gguf\n-p\nYou are a pirate.\n-ngl\n99\n...",
    )
    assert run(["build", str(path), "-o", "out"]) == 0
    manifest = manifest_of(Path("out"))
    assert (manifest.name, manifest.weights.size) == ("Tiny", weights.stat().st_size)
    assert manifest.draft is not None
    assert manifest.draft.sha256 == manifest.weights.sha256
    assert manifest.defaults == {"system_prompt": "You are a pirate."}
    assert manifest.origin.repository == "old.llamafile"
    assert list(own_cache.iterdir()) == []


@pytest.mark.parametrize("n_embd", [48, 64])
def test_a_projector_comes_along(
    store: TinyOllama,
    weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    n_embd: int,
) -> None:
    """One that is this model's is carried on; another is left out, and told."""
    projector = tmp_path / "projector"
    write_tiny_projector(projector, n_embd=n_embd)
    layers: list[tuple[str, bytes | Path]] = [("model", weights), ("projector", projector)]
    store.add("registry.ollama.ai/library/seeing/latest", layers)
    assert run(["build", "ollama:seeing", "-o", "out"]) == 0
    told = "makes embeddings of 64 numbers" in capsys.readouterr().err
    found = manifest_of(Path("out")).projector
    assert told == (found is None) == (n_embd == 64)
    if found:
        assert run(["build", "out", "-o", "again"]) == 0
        assert manifest_of(Path("again")).projector == found
        assert found.name == "projector/mmproj-seeing.gguf"


def test_from_a_solofile(weights: Path, own_cache: Path) -> None:
    """With the same kit and settings, a repacked one is the very same file."""
    named = ["--name", "My model", "--set", "temp=0.5"]
    assert run(["build", str(weights), "-o", "old", "--draft", str(weights), *named]) == 0
    assert run(["build", "old", "-o", "new"]) == 0
    assert Path("old").read_bytes() == Path("new").read_bytes()
    assert run(["build", "old", "-o", "old", "--set", "top_k=3"]) == 0
    manifest = manifest_of(Path("old"))
    assert manifest.defaults == {"temp": 0.5, "top_k": 3}
    assert list(own_cache.iterdir()) == []
