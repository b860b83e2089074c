"""`convert` on the command line."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.gguf.header import read_header
from runtime.container import Container
from runtime.manifest import read_manifest
from tests.builder.convert.tiny_checkpoint import write_adapter, write_checkpoint


def test_the_real_model(
    smollm2_checkpoint: Path,
    own_results: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A checkpoint is converted, quantized and packed; it answers, and is converted once."""
    line = ["build", str(smollm2_checkpoint), "--outtype", "f16", "--quantize", "Q4_K_M"]
    line += ["-o", str(tmp_path / "chat"), "--system", "You are a helpful assistant.", "--json"]
    assert run(line) == 0
    told = capfd.readouterr()
    report = json.loads(told.out)
    assert report["name"] == "SmolLM2-135M-Instruct"
    assert report["quantization"] == "Q4_K_M"
    assert "Starting llama.cpp's converter" in told.err
    with Container.open(tmp_path / "chat") as container:
        manifest = read_manifest(container)
    assert [step.kind for step in manifest.origin.steps] == ["convert", "quantize"]
    assert "model.safetensors" in [file.name for file in manifest.origin.files]
    question = [str(tmp_path / "chat"), "run", "--temp", "0", "-n", "24", "What is 2+2?"]
    assert re.search("4|four", subprocess.check_output(question, text=True))
    assert run([*line, "--no-smoke-test"]) == 0
    assert "converter" not in capfd.readouterr().err


def test_convert(
    tiny_checkpoints: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A checkpoint becomes a file of the type that was asked for, and an adapter one for it."""
    folder, output = tiny_checkpoints["llama"], tmp_path / "out.gguf"
    assert run(["convert", str(folder), str(output), "--outtype", "q8_0", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told == {
        "path": str(output), "name": "llama", "architecture": "llama", "type": "Q8_0",
        "size": output.stat().st_size,
        "command": [
            "convert_hf_to_gguf.py", "llama", "--outfile", "out.gguf", "--outtype", "q8_0",
        ],
    }  # fmt: skip
    adapter = write_adapter(tmp_path / "Pirate")
    assert run(["convert", str(adapter), str(output), "--base", str(folder)]) == 0
    assert capfd.readouterr().out.startswith(f"{output}: llama, F32, ")
    assert read_header(output).text("general.type") == "adapter"


def test_refusals(tmp_path: Path, gguf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is no checkpoint, and what is none without leave, is told in a sentence."""
    output = tmp_path / "out.gguf"
    assert run(["convert", str(gguf), str(output)]) == 2
    assert f"{gguf} is no checkpoint." in capfd.readouterr().err
    folder = write_checkpoint(tmp_path / "Tiny")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert run(["convert", str(folder), str(output)]) == 4
    assert "--allow-pickle" in capfd.readouterr().err
    assert not output.exists()
