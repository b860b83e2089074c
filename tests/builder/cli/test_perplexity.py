"""The command that measures perplexity."""

import json
from pathlib import Path

import pytest

from builder.__main__ import run
from tests.builder.quality.sample_text import write_text
from tests.runtime.engine.tiny_llama import write_tiny_llama


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The number with its error, for people and for programs."""
    model = tmp_path / "Tiny-F32.gguf"
    write_tiny_llama(model, head_size=32)
    text = str(write_text(tmp_path / "text.txt", 600))
    assert run(["perplexity", str(model), "-f", text, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tokens"] == 255
    assert run(["perplexity", str(model), "-f", text]) == 0
    shown = f"{found['perplexity']:.4f} ± {found['error']:.4f} (255 tokens)\n"
    assert capsys.readouterr().out == shown


def test_a_short_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that fills no chunk is told."""
    model = tmp_path / "Tiny-F32.gguf"
    write_tiny_llama(model, head_size=32)
    text = str(write_text(tmp_path / "text.txt", 100))
    assert run(["perplexity", str(model), "-f", text]) == 2
    sentence = "Measuring the perplexity failed: the text has 102 tokens, and 512 are needed."
    assert sentence in capsys.readouterr().err
