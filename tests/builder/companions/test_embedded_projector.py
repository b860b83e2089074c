"""A projector inside a solofile, from its source to an engine that sees by it."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFWriter

from builder.companions.projector import fetch_projector
from builder.errors import SourceError
from builder.kit.kit import Kit
from builder.pack import write_solofile
from builder.sources.gguf_file import GgufFile
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.errors import UnsupportedError
from runtime.payload import find_payload
from runtime.verify import verify
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_split_gguf
from tests.images import png
from tests.runtime.engine.tiny_llama import write_tiny_llama
from tests.tiny_projector import write_tiny_projector


@pytest.mark.usefixtures("binding")
def test_the_model_sees_by_it(tiny_kit: Kit, tmp_path: Path) -> None:
    """It lies behind the weights, and the runtime reads an image by it there."""
    model, eyes = tmp_path / "model.gguf", tmp_path / "eyes.gguf"
    write_tiny_llama(model, head_size=32)
    write_tiny_projector(eyes, n_embd=64)
    (tmp_path / "eyes.LICENSE").write_text("Do as you like.", encoding="utf-8")
    projector = fetch_projector(GgufFile(eyes), target=model)
    contents = contents_of(tiny_kit, model, licences=projector.licences, projector=projector.file)
    path = tmp_path / "solofile"
    manifest = write_solofile(contents, path)
    names = [
        "model.gguf",
        "projector/eyes.gguf",
        "runtime.pkg",
        "LICENSES/eyes-eyes.LICENSE",
        "sbom.cdx.json",
    ]
    assert [entry.name for entry in manifest.entries] == names
    assert verify(path) == []
    payload = find_payload(path)
    assert payload.projector is not None
    options = EngineOptions(payload.weights, n_ctx=256, n_threads=1, projector=payload.projector)
    engine = Engine.start(options)
    try:
        assert engine.sees
        assert len(engine.read(["a", png(1), "b"], add_special=True).images) == 1
    finally:
        engine.stop()


def test_what_it_cannot_see_by_is_not_embedded(tmp_path: Path) -> None:
    """A model, a projector for sounds or another model, and several parts get a sentence each."""
    model = tmp_path / "model.gguf"
    write_tiny_llama(model, head_size=32)
    write_tiny_projector(tmp_path / "other.gguf", n_embd=96)
    ears = GGUFWriter(tmp_path / "ears.gguf", "clip")
    ears.add_bool("clip.has_audio_encoder", True)
    ears.add_tensor("a.weight", np.zeros(8, np.float32))
    ears.write_header_to_file()
    ears.write_kv_data_to_file()
    ears.write_tensors_to_file()
    ears.close()
    for name, reason in (
        ("model", r"model\.gguf is no projector"),
        ("ears", "reads no images"),
        ("other", "embeddings of 96 numbers, and the model's have 64"),
    ):
        with pytest.raises(UnsupportedError, match=reason):
            fetch_projector(GgufFile(tmp_path / f"{name}.gguf"), target=model)
    with pytest.raises(SourceError, match="has several parts"):
        fetch_projector(GgufFile(write_split_gguf(tmp_path)[0]), target=model)
