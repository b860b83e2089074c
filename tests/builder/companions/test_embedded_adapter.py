"""An adapter inside a solofile, from the builder to the engine with the real model."""

from pathlib import Path

import pytest

from builder.kit.kit import Kit
from builder.pack import write_solofile
from builder.sources.source import ModelFile
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.payload import find_payload
from tests.builder.contents import contents_of
from tests.runtime.engine.asking import ask
from tests.tiny_lora import write_tiny_lora

PROMPT = "The capital of France is"


@pytest.mark.usefixtures("binding")
def test_it_is_applied_unless_scaled_to_nothing(gguf: Path, tiny_kit: Kit, tmp_path: Path) -> None:
    """What lies inside the file is read from there, and applied to requests that say nothing."""
    write_tiny_lora(tmp_path / "adapter.gguf")
    contents = contents_of(
        tiny_kit, gguf, adapters=[ModelFile(tmp_path / "adapter.gguf", "adapter.gguf")]
    )
    write_solofile(contents, tmp_path / "solofile")
    payload = find_payload(tmp_path / "solofile")
    options = EngineOptions(payload.weights, n_ctx=512, adapters=payload.adapters)
    engine = Engine.start(options)
    try:
        applied = ask(engine, PROMPT, max_tokens=8, temperature=0)
        engine.adapters.set_scales({})
        plain = ask(engine, PROMPT, max_tokens=8, temperature=0)
    finally:
        engine.stop()
    assert applied != plain
    assert "Paris" in plain
