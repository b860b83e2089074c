"""Models in Ollama's store."""

from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.ollama import OllamaModel
from builder.sources.ollama_name import parse_name
from runtime.errors import UnsupportedError
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_ollama import TinyOllama
from tests.tiny_lora import write_tiny_lora

LIBRARY = "registry.ollama.ai/library"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyOllama:
    """An empty store, which `OLLAMA_MODELS` names."""
    folder = tmp_path / "ollama"
    folder.mkdir()
    monkeypatch.setenv("OLLAMA_MODELS", str(folder))
    return TinyOllama(folder)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A small GGUF."""
    return write_gguf(tmp_path / "weights")


def source(text: str) -> OllamaModel:
    """Return the source behind `ollama:`."""
    return OllamaModel(parse_name(text))


def test_everything_that_belongs_to_it(store: TinyOllama, weights: Path, tmp_path: Path) -> None:
    """Weights, adapter and projector lie where they were; the small layers are read."""
    write_tiny_lora(tmp_path / "lora")
    projector = write_gguf(tmp_path / "projector", architecture="clip")
    store.add(
        f"{LIBRARY}/tiny/1b",
        [
            ("model", weights),
            ("adapter", tmp_path / "lora"),
            ("projector", projector),
            ("template", b"{{ .Prompt }}"),
            ("system", b"You are a pirate.\n"),
            ("params", b'{"temperature": 0.2, "num_ctx": 2048, "stop": ["x"]}'),
            ("license", b"Do as you like."),
            ("license", b"And enjoy it."),
            ("messages", b"[]"),
        ],
    )
    found = source("tiny:1b")
    assert found.resolve().file_name == "tiny-1b.gguf"
    assert found.resolve().label.startswith("ollama:tiny:1b (")
    fetched = found.fetch()
    (file,) = fetched.files
    assert file.path == store.blob(weights)
    assert file.path.samefile(weights)
    assert (file.name, file.sha256) == ("tiny-1b.gguf", file.path.name.removeprefix("sha256-"))
    assert [one.path for one in fetched.adapters] == [store.blob(tmp_path / "lora")]
    assert fetched.projector is not None
    assert fetched.projector.fetch().files[0].path == store.blob(projector)
    assert fetched.settings == {"temp": 0.2, "ctx_size": 2048, "system_prompt": "You are a pirate."}
    assert [(one.name, one.text) for one in fetched.licences] == [
        ("LICENSE", b"Do as you like."),
        ("LICENSE-2", b"And enjoy it."),
    ]
    assert len(fetched.notes) == 2
    origin = fetched.origin
    assert (origin.kind, origin.repository, origin.revision) == ("ollama", f"{LIBRARY}/tiny", "1b")
    assert [part.name for part in origin.files][:3] == ["manifest", "model", "adapter"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{LIBRARY}/tiny/latest", "tiny"),
        (f"{LIBRARY}/Tiny/Q4_0", "tiny:q4_0"),
        ("registry.ollama.ai/me/tiny/v1", "me/tiny:v1"),
        ("hf.co/acme/Tiny-GGUF/Q4_0", "hf.co/acme/Tiny-GGUF:Q4_0"),
    ],
)
def test_names(store: TinyOllama, weights: Path, path: str, text: str) -> None:
    """Registries, namespaces and tags are told apart; case is not."""
    store.add(path, [("model", weights)])
    assert source(text).fetch().origin.repository == path.rpartition("/")[0]


def test_the_usual_place(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `OLLAMA_MODELS` it is the folder in one's home."""
    monkeypatch.delenv("OLLAMA_MODELS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    folder = tmp_path / ".ollama/models"
    folder.mkdir(parents=True)
    TinyOllama(folder).add(f"{LIBRARY}/tiny/latest", [("model", weights)])
    assert source("tiny").fetch().files[0].path.parent == folder / "blobs"


def test_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The places that were looked in are told."""
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    with pytest.raises(SourceError, match=f"no store of Ollama's in {tmp_path}"):
        source("tiny").resolve()


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("llama3.2:3c", "Did you mean llama3.2:3b"),
        ("llama3.2:instruct", "Did you mean llama3.2:3b"),
        ("gemma", "It holds llama3.2:3b, qwen:0.5b."),
    ],
)
def test_no_such_model(store: TinyOllama, weights: Path, asked: str, hint: str) -> None:
    """Names that are near are listed, or all."""
    store.add(f"{LIBRARY}/llama3.2/3b", [("model", weights)])
    store.add(f"{LIBRARY}/qwen/0.5b", [("model", weights)])
    with pytest.raises(SourceError, match=r"holds no") as caught:
        source(asked).resolve()
    assert hint in caught.value.hint


def test_an_empty_store(store: TinyOllama) -> None:
    """The hint says how to fetch the model."""
    with pytest.raises(SourceError, match=r"holds no tiny:latest") as caught:
        source("tiny").resolve()
    assert "`ollama pull tiny:latest`" in caught.value.hint


@pytest.mark.parametrize("kind", ["model", "system"])
def test_a_missing_blob(store: TinyOllama, weights: Path, kind: str) -> None:
    """What is missing is named, with how to get it."""
    store.add(f"{LIBRARY}/tiny/latest", [("model", weights), ("system", b"Hello.")])
    store.blob(weights if kind == "model" else b"Hello.").unlink()
    with pytest.raises(SourceError, match=f"lacks the {kind} of tiny:latest, sha256-") as caught:
        source("tiny").fetch()
    assert "`ollama pull tiny:latest`" in caught.value.hint


def test_damage(store: TinyOllama, weights: Path) -> None:
    """Small layers are checked at once, weights by their size and, when packed, by their digest."""
    store.add(f"{LIBRARY}/tiny/latest", [("model", weights), ("system", b"Hello.")])
    store.blob(b"Hello.").write_bytes(b"Adieu.")
    with pytest.raises(SourceError, match=r"The system of tiny:latest, .* digest is another"):
        source("tiny").fetch()
    store.blob(b"Hello.").write_bytes(b"Hel")
    with pytest.raises(SourceError, match="it has 3 of 6 bytes"):
        source("tiny").fetch()


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"layers": [{"mediaType": "", "digest": "../x", "size": 1}]}']
)
def test_a_manifest_without_sense(store: TinyOllama, weights: Path, text: str) -> None:
    """It is named, and nothing outside of the store is read."""
    path = store.add(f"{LIBRARY}/tiny/latest", [("model", weights)])
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"Ollama's manifest .*tiny.latest (makes|names)"):
        source("tiny").resolve()


def test_parameters_without_sense(store: TinyOllama, weights: Path) -> None:
    """They must be a JSON object."""
    store.add(f"{LIBRARY}/tiny/latest", [("model", weights), ("params", b"[1]")])
    with pytest.raises(SourceError, match="The parameters of ollama:tiny:latest make no sense"):
        source("tiny").fetch()


def test_other_formats(store: TinyOllama, weights: Path) -> None:
    """Weights that are no single GGUF are refused by what they are."""
    layers: dict[str, list[tuple[str, bytes | Path]]] = {
        "tensors": [("tensor", b"x"), ("tensor", b"y")],
        "other": [("model", b"\x00\x01")],
        "two": [("model", weights), ("model", b"GGUF")],
        "none": [("system", b"Hello.")],
    }
    for name, parts in layers.items():
        store.add(f"{LIBRARY}/{name}/latest", parts)
    for name, sentence in (
        ("tensors", "stores its weights as safetensors"),
        ("other", "stores its weights in another format than GGUF"),
        ("two", "stores its weights in 2 files"),
        ("none", "has no weights in the store"),
    ):
        with pytest.raises(SourceError, match=f"ollama:{name}:latest {sentence}"):
            source(name).resolve()


def test_a_projector_in_the_same_file(store: TinyOllama, tmp_path: Path) -> None:
    """Weights for Ollama's own engine are told before llama.cpp stumbles over them."""
    tensors: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (64, 32),
        "v.blk.0.attn_q.weight": (32, 32),
    }
    path = write_gguf(tmp_path / "eyes", tensors=tensors)
    store.add(f"{LIBRARY}/eyes/latest", [("model", path)])
    with pytest.raises(UnsupportedError, match="which only Ollama loads"):
        source("eyes").fetch()
