"""The command that makes importance matrices, and the flag that does on the way."""

from pathlib import Path

import pytest

from builder.__main__ import run
from builder.quantize.imatrix import read_imatrix
from tests.builder.quality.sample_text import write_text
from tests.runtime.engine.tiny_llama import write_tiny_llama


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is where it was wanted, and its name alone stands on stdout."""
    model, output = tmp_path / "Tiny-F32.gguf", tmp_path / "imatrix.gguf"
    write_tiny_llama(model, head_size=32)
    text = write_text(tmp_path / "text.txt", 1100)
    assert run(["imatrix", str(model), str(text), "-o", str(output), "--chunks", "1"]) == 0
    assert capsys.readouterr().out == f"{output}\n"
    assert read_imatrix(output).num_chunks == 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--calibrate", "none.txt"], "Error: There is no text none.txt."),
        (["--calibrate", "a", "--imatrix", "b"], "Error: --imatrix names an importance matrix and"),
    ],
)
def test_told_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], sentence: str
) -> None:
    """It is said before the model is looked for."""
    output = str(tmp_path / "out.gguf")
    assert run(["quantize", "no-model.gguf", output, "Q4_0", *flags]) == 2
    assert capsys.readouterr().err.startswith(sentence)
