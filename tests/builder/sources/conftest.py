"""A hub of the tests' own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.builder.fake_hub import FakeHub, Repository, serving
from tests.builder.tiny_gguf import write_gguf, write_split_gguf


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A fake hub that the client library of this process talks to, with an empty cache."""
    with serving(FakeHub()) as hub:
        # The library reads its environment once, when it is imported.
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


@pytest.fixture
def repository(tmp_path: Path, hub: FakeHub) -> Repository:
    """A repository on it with two quantizations, a split model, a projector and a licence."""
    folder = tmp_path / "made"
    folder.mkdir()
    tiny = write_gguf(folder / "tiny.gguf").read_bytes()
    files = {
        "README.md": b"# Tiny\n",
        "LICENSE": b"Do as you like.\n",
        "Tiny-Q4_K_M.gguf": tiny,
        "Tiny-Q8_0.gguf": write_gguf(folder / "q8.gguf", quantized=True).read_bytes(),
        "mmproj-Tiny-F16.gguf": tiny,
    }
    for part in write_split_gguf(folder, name="Tiny-F32"):
        files[f"F32/{part.name}"] = part.read_bytes()
    hub.repositories["acme/Tiny-GGUF"] = Repository(files, tags=["gguf", "license:apache-2.0"])
    return hub.repositories["acme/Tiny-GGUF"]
