"""`quantize` on the command line, and `build --quantize` with the real model."""

import json
import subprocess
from pathlib import Path

import gguf
import numpy as np
import pytest

from builder.__main__ import run
from builder.gguf.header import read_header
from runtime.container import Container
from runtime.manifest import read_manifest
from tests.runtime.engine.tiny_llama import write_tiny_llama


@pytest.fixture(scope="module")
def smollm2_f16(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real model, dequantized."""
    path = tmp_path_factory.mktemp("f16") / "SmolLM2-135M-Instruct-F16.gguf"
    write_f16(gguf, path)
    return path


def write_f16(source: Path, path: Path) -> None:
    """Write a model again with half-precision weights."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(path, "llama")
    for key, field in reader.fields.items():
        if not key.startswith(("GGUF.", "general.architecture", "general.file_type")):
            writer.add_key_value(key, field.contents(), field.types[0], *field.types[1:])
    writer.add_file_type(1)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, values.astype(np.float16 if values.ndim > 1 else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_the_real_model(
    smollm2_f16: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Made from half precision and quantized to Q4_K_M, it is smaller and answers."""
    output = tmp_path / "chat"
    line = ["build", str(smollm2_f16), "--quantize", "q4_k_m", "-o", str(output), "--json"]
    assert run([*line, "--set", "system-prompt=You are a helpful assistant."]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["quantization"] == "Q4_K_M"
    with Container.open(output) as container:
        manifest = read_manifest(container)
    assert manifest.weights.name == "SmolLM2-135M-Instruct-Q4_K_M.gguf"
    assert manifest.weights.size < smollm2_f16.stat().st_size / 2
    (origin,) = manifest.origin.files
    assert (origin.name, origin.size) == (smollm2_f16.name, smollm2_f16.stat().st_size)
    question = [str(output), "run", "--temp", "0", "-n", "24", "What is 2+2?"]
    answer = subprocess.check_output(question, text=True)
    # Of the capital of France, a model of this size that was quantized twice speaks French.
    assert "four" in answer


def test_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is written where it was asked for, and told on one line or as JSON."""
    model, output = tmp_path / "model.gguf", tmp_path / "out.gguf"
    write_tiny_llama(model, head_size=128)
    assert run(["quantize", str(model), str(output), "Q8_0", "--json"]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["size"] == output.stat().st_size
    assert facts["types"]["output.weight"] == "Q8_0"
    assert len(read_header(output).tensors) == len(facts["types"])


def test_the_list(capfd: pytest.CaptureFixture[str]) -> None:
    """Every type has its bits and a few words, as a table and as JSON."""
    assert run(["quantize", "--list"]) == 0
    assert "Q4_K_M       4.89  the usual choice" in capfd.readouterr().out
    assert run(["quantize", "--list", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capfd.readouterr().out)}
    assert listed["IQ2_XXS"]["needs_imatrix"] is True
    assert all(one["good_for"] for one in listed.values())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["quantize", "a.gguf", "b.gguf"], "Error: Name INPUT, OUTPUT and TYPE, or --list."),
        (["quantize", "a.gguf", "b.gguf", "Q9"], "Error: Q9 is no type llama.cpp quantizes to."),
        (["quantize", "a.gguf", "b.gguf", "Q8_0"], "Error: There is no file a.gguf."),
        (
            ["build", "model.gguf", "--quantize", "Q9"],
            "Error: Q9 is no type llama.cpp quantizes to.",
        ),
        (["build", "model.gguf", "--pure"], "Error: It is said how to quantize, but not to"),
        (
            ["quantize", "model.gguf", "b.gguf", "IQ1_S", "--imatrix", "none"],
            "Error: There is no importance matrix none.",
        ),
    ],
)
def test_told_wrong(
    line: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be done is one sentence."""
    monkeypatch.chdir(tmp_path)
    write_tiny_llama(tmp_path / "model.gguf", head_size=32)
    assert run(line) in (2, 6)
    assert capsys.readouterr().err.startswith(sentence)
    assert not (tmp_path / "b.gguf").exists()
