"""A draft model inside a solofile, from its source to the engine with the real model."""

from pathlib import Path

import pytest

from builder.companions.draft import fetch_draft
from builder.errors import SourceError
from builder.kit.kit import Kit
from builder.pack import write_solofile
from builder.sources.gguf_file import GgufFile
from runtime.container import ALIGNMENT
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.errors import UnsupportedError
from runtime.payload import find_payload
from runtime.verify import verify
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf, write_split_gguf
from tests.runtime.engine.asking import submit
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.tiny_lora import write_tiny_lora


@pytest.mark.usefixtures("binding")
def test_it_guesses_what_the_model_says(gguf: Path, tiny_kit: Kit, tmp_path: Path) -> None:
    """It lies behind the weights, aligned like them; the runtime maps it there and asks it."""
    (tmp_path / "small.gguf").symlink_to(gguf)
    (tmp_path / "small.LICENSE").write_text("Do as you like.", encoding="utf-8")
    draft = fetch_draft(GgufFile(tmp_path / "small.gguf"), target=gguf)
    contents = contents_of(tiny_kit, gguf, licences=draft.licences, draft=draft.file)
    path = tmp_path / "solofile"
    manifest = write_solofile(contents, path)
    names = [
        "model.gguf",
        "draft/small.gguf",
        "runtime.pkg",
        "LICENSES/small-small.LICENSE",
        "sbom.cdx.json",
    ]
    assert [entry.name for entry in manifest.entries] == names
    assert verify(path) == []
    payload = find_payload(path)
    assert payload.draft is not None
    assert payload.draft.size == gguf.stat().st_size
    assert payload.draft.offset % ALIGNMENT == 0
    options = EngineOptions(payload.weights, n_ctx=256, n_threads=1, draft=payload.draft)
    engine = Engine.start(options)
    try:
        asked = submit(engine, "The capital of France is", max_tokens=16, temperature=0)
        assert "Paris" in asked.text()
    finally:
        engine.stop()
    assert asked.finished.stats.accepted_tokens >= 8


def test_what_cannot_guess_is_not_embedded(tmp_path: Path) -> None:
    """An adapter, several parts, and another kind of tokenizer get a sentence each."""
    target = write_gguf(tmp_path / "model.gguf", metadata={"tokenizer.ggml.model": "gpt2"})
    write_tiny_lora(tmp_path / "adapter.gguf")
    write_tiny_llama(tmp_path / "other.gguf", head_size=16)
    parts = write_split_gguf(tmp_path)
    with pytest.raises(UnsupportedError, match=r"adapter\.gguf is an adapter"):
        fetch_draft(GgufFile(tmp_path / "adapter.gguf"), target=target)
    with pytest.raises(UnsupportedError, match="of the kind llama, and the model's is gpt2"):
        fetch_draft(GgufFile(tmp_path / "other.gguf"), target=target)
    with pytest.raises(SourceError, match="has several parts"):
        fetch_draft(GgufFile(parts[0]), target=target)
