"""Tests of what a loaded model's header tells, with a real file and tiny ones."""

from pathlib import Path

import pytest
from gguf import LlamaFileType

from runtime.engine.engine import Engine
from runtime.engine.llama import Llama
from runtime.engine.model import InfillTokens, Model
from runtime.engine.weights import Weights
from tests.runtime.engine.tiny_llama import write_tiny_llama


def _tiny_model(folder: Path, values: dict[str, int]) -> Model:
    path = folder / "tiny.gguf"
    write_tiny_llama(path, head_size=16, values=values)
    return Model.load(Llama.load(), Weights(path, 0, path.stat().st_size))


def test_the_real_models_header(engine: Engine, gguf: Path) -> None:
    """All plain values are there by key, and the facts are the file's."""
    header = engine.model.header
    items = header.items()
    assert items["general.architecture"] == header.architecture == "llama"
    assert items["llama.context_length"] == "8192"
    assert list(items) == sorted(items)
    assert len(items["tokenizer.chat_template"]) > 256, "longer than the first buffer"
    assert header.n_params == 134_515_008
    assert 0 < gguf.stat().st_size - header.size_bytes < 4_000_000
    assert header.quantization == "Q4_1"
    assert header.value("no.such.key") is None


@pytest.mark.parametrize(
    ("values", "quantization"),
    [
        ({"general.file_type": LlamaFileType.MOSTLY_Q4_K_M}, "Q4_K_M"),
        ({"general.file_type": LlamaFileType.MOSTLY_IQ2_XS}, "IQ2_XS"),
        ({}, "F32"),
    ],
)
def test_types_as_file_names_have_them(
    binding: None, tmp_path: Path, values: dict[str, int], quantization: str
) -> None:
    """llama.cpp spells them out; a file that names none has the type of its tensors."""
    model = _tiny_model(tmp_path, values)
    assert model.header.quantization == quantization
    model.close()


def test_tokens_around_a_gap(engine: Engine, binding: None, tmp_path: Path) -> None:
    """A model has them if its header names all three."""
    names = ("prefix", "suffix", "middle")
    values = {f"tokenizer.ggml.{name}_token_id": 5 + index for index, name in enumerate(names)}
    model = _tiny_model(tmp_path, values)
    assert model.infill_tokens == InfillTokens(5, 6, 7)
    model.close()
    assert engine.model.infill_tokens is None
