"""Tests of which files may be embedded as adapters."""

from pathlib import Path

import pytest

from builder.companions.adapters import fetch_adapters
from builder.errors import SourceError
from builder.sources.gguf_file import GgufFile
from runtime.errors import UnsupportedError
from tests.builder.tiny_gguf import write_gguf
from tests.tiny_lora import write_tiny_lora


def test_adapters_keep_their_order(tmp_path: Path) -> None:
    """They are numbered as they were named, and bring their licences under their own names."""
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        write_tiny_lora(tmp_path / name / f"{name}.gguf")
        (tmp_path / name / f"{name}.LICENSE").write_text(name, encoding="utf-8")
    sources = [GgufFile(tmp_path / name / f"{name}.gguf") for name in ("b", "a")]
    fetched = fetch_adapters(sources, architecture="llama")
    assert [file.name for file in fetched.files] == ["b.gguf", "a.gguf"]
    assert [(one.name, one.text) for one in fetched.licences] == [
        ("b-b.LICENSE", b"b"),
        ("a-a.LICENSE", b"a"),
    ]


def test_what_is_no_adapter_of_this_model_is_refused(tmp_path: Path) -> None:
    """A model, an adapter of another architecture, and two of one name get a sentence each."""
    write_gguf(tmp_path / "model.gguf")
    write_tiny_lora(tmp_path / "qwen.gguf", architecture="qwen2")
    write_tiny_lora(tmp_path / "a.gguf")
    with pytest.raises(UnsupportedError, match=r"model\.gguf is no LoRA adapter"):
        fetch_adapters([GgufFile(tmp_path / "model.gguf")], architecture="llama")
    with pytest.raises(UnsupportedError, match="architecture qwen2, and the model's is llama"):
        fetch_adapters([GgufFile(tmp_path / "qwen.gguf")], architecture="llama")
    with pytest.raises(SourceError, match=r"2 adapters are called a\.gguf"):
        fetch_adapters([GgufFile(tmp_path / "a.gguf")] * 2, architecture="llama")
