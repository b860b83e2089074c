"""Models compared with their originals by transformers."""

import json
import re
import shutil
from pathlib import Path

import pytest
from gguf import PoolingType

from builder.__main__ import run
from builder.convert.options import ConvertOptions
from builder.file_range import FileRange
from builder.quality.parity import (
    ParityError,
    checked_parity,
    compare,
    is_explained,
    require_parity,
)
from builder.sources.checkpoint import CheckpointFolder
from runtime.errors import ResourceError, UnsupportedError, UsageError
from runtime.parity import LogitParity, VectorParity
from tests.minilm import MiniLM

pytestmark = pytest.mark.usefixtures("converter_python")


def test_an_embedding_model(
    minilm_gguf: Path, minilm_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """all-MiniLM-L6-v2 embeds as transformers does; where tokens differ, that is told.

    Of BERT's texts llama.cpp takes away all combining marks, and not only those of no width: that
    loses some of Hindi's vowels.
    """
    found = require_parity(minilm_checkpoint, FileRange.of(minilm_gguf))
    assert isinstance(found, VectorParity)
    assert found.num_texts == 12
    assert found.min_cosine > 0.9999
    assert found.other_tokens == ["hindi"]
    assert "other tokens than the original's of 1 sample texts (hindi)" in capsys.readouterr().err


def test_another_pooling(minilm: MiniLM, minilm_checkpoint: Path, tmp_path: Path) -> None:
    """A model that pools otherwise than its original is refused, with the numbers."""
    path = minilm.write(tmp_path / "MiniLM-F32.gguf", pooling=PoolingType.CLS)
    with pytest.raises(ParityError, match=r"does not say what its original .* 12 texts with cos"):
        require_parity(minilm_checkpoint, FileRange.of(path))


def test_a_model_that_generates(smollm2_checkpoint: Path) -> None:
    """SmolLM2 as F16 says what transformers says."""
    converted = CheckpointFolder(smollm2_checkpoint, ConvertOptions("f16")).fetch()
    found = checked_parity(converted)
    assert isinstance(found, LogitParity)
    assert found.quantization == "F16"
    assert found.num_positions >= 500
    assert found.top1 >= 0.99
    assert found.mean_kl < 1e-3
    assert not found.other_tokens


def test_the_command(
    gguf: Path, smollm2_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SmolLM2 in 4 bits is told how far it is off, and nothing is refused for it."""
    assert run(["parity", str(smollm2_checkpoint), str(gguf), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["type"], found["quantization"]) == ("logits", "Q4_1")
    assert found["num_positions"] >= 500
    assert 0.7 < found["top1"] < 0.99
    assert 1e-3 < found["mean_kl"] < 0.1


def test_what_llamacpp_does_otherwise(
    tiny_checkpoints: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkpoint that converts without a word and then says something else is not shipped.

    llama.cpp always makes the weights of Qwen3-MoE's experts add up to 1; transformers can do
    without, and then an honest conversion is another model.
    """
    folder = tmp_path / "moe"
    shutil.copytree(tiny_checkpoints["qwen3_moe"], folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(
        json.dumps(config | {"norm_topk_prob": False}), encoding="utf-8"
    )
    assert run(["build", str(folder), "-o", str(tmp_path / "moe.run"), "--check-parity"]) == 7
    error = capsys.readouterr().err
    assert re.search(r"does not say what its original .* says: the same likeliest token at", error)
    assert not (tmp_path / "moe.run").exists()


def test_nothing_to_compare_with(
    gguf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A GGUF has no original at hand."""
    assert run(["build", str(gguf), "-o", str(tmp_path / "x"), "--check-parity"]) == 2
    assert "came as a GGUF, without the checkpoint to compare it with" in capsys.readouterr().err


def test_a_model_that_ranks(minilm: MiniLM, minilm_checkpoint: Path, tmp_path: Path) -> None:
    """A reranker's scores are not compared, and that is said at once."""
    path = minilm.write(tmp_path / "MiniLM-F32.gguf", pooling=PoolingType.RANK)
    with pytest.raises(UnsupportedError, match="ranks documents"):
        compare(minilm_checkpoint, FileRange.of(path))


def test_what_transformers_does_not_know(minilm_gguf: Path, tmp_path: Path) -> None:
    """Its refusal is told in one sentence."""
    (tmp_path / "config.json").write_text('{"model_type": "unheard-of"}', encoding="utf-8")
    with pytest.raises(Exception, match=r"Comparing with the original failed: .*unheard-of"):
        compare(tmp_path, FileRange.of(minilm_gguf))


def test_no_checkpoint(minilm_gguf: Path, tmp_path: Path) -> None:
    """A folder without a configuration is no original."""
    with pytest.raises(UsageError, match=r"is no checkpoint: it has no config\.json"):
        compare(tmp_path, FileRange.of(minilm_gguf))


def test_too_little_memory(
    minilm_gguf: Path, minilm_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An original that cannot fit into memory is not begun."""
    monkeypatch.setattr("builder.quality.parity.memory_available_bytes", lambda: 50_000_000)
    with pytest.raises(ResourceError, match=r"takes 90\.\d MB of memory .* 50\.0 MB are free"):
        compare(minilm_checkpoint, FileRange.of(minilm_gguf))


@pytest.mark.parametrize(
    ("top1", "mean_kl", "quantization", "expected"),
    [
        (0.995, 1e-5, "F16", True),
        (0.985, 1e-5, "F16", False),
        (0.995, 2e-3, "F16", False),
        (0.985, 1e-5, "BF16", True),
        (0.95, 1e-2, "Q8_0", True),
        (0.5, 1.0, "Q8_0", False),
        (0.5, 1.0, "IQ2_XS", True),
        (0.0, float("nan"), "F32", False),
        (1.0, float("nan"), "F32", False),
    ],
)
def test_limits(top1: float, mean_kl: float, quantization: str, expected: bool) -> None:
    """What rounding explains depends on the type; NaN is never right."""
    found = LogitParity(quantization=quantization, num_positions=500, top1=top1, mean_kl=mean_kl)
    assert is_explained(found) is expected
