"""What a manifest tells of what was done to weights."""

import hashlib
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.quantize.flags import QuantizeFlags
from builder.quantize.options import QuantizeOptions
from builder.quantize.table import QUANTIZATIONS
from builder.sources.gguf_file import GgufFile
from builder.steps import quantizing
from builder.weights import one_file, quantized_file
from runtime.manifest import OriginFile
from runtime.user_folders import user_cache_dir
from tests.builder.tiny_gguf import write_split_gguf
from tests.runtime.engine.tiny_llama import write_tiny_llama

EVERYONES_CACHE = user_cache_dir()


def test_merging(tmp_path: Path, own_cache: Path) -> None:
    """All parts are told with their digests."""
    parts = write_split_gguf(tmp_path)
    (step,) = one_file(GgufFile(parts[1]).fetch()).steps
    assert step.kind == "merge"
    assert step.command == ["llama-gguf-split", "--merge", parts[0].name, "tiny.gguf"]
    digests = [hashlib.sha256(part.read_bytes()).hexdigest() for part in parts]
    assert [one.sha256 for one in step.inputs] == digests


def test_what_else_went_in(tmp_path: Path) -> None:
    """A text for an importance matrix is told with its digest."""
    text = tmp_path / "text.txt"
    text.write_text("One fine day.", encoding="utf-8")
    options = QuantizeOptions(quantization=QUANTIZATIONS["IQ2_XS"], calibrate=text)
    parts = [OriginFile(name="a.gguf", size=1, sha256="00")]
    step = quantizing(parts, "b.gguf", options)
    assert step.command == [
        "solofile", "quantize", "--calibrate", "text.txt", "a.gguf", "b.gguf", "IQ2_XS",
    ]  # fmt: skip
    digest = hashlib.sha256(text.read_bytes()).hexdigest()
    assert step.inputs == [*parts, OriginFile(name="text.txt", size=13, sha256=digest)]


@pytest.mark.usefixtures("binding")
def test_the_command_does_it_again(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run where the inputs lie, it gives the same bytes."""
    own_cache.mkdir()
    (own_cache / "llamacpp").symlink_to(EVERYONES_CACHE / "llamacpp")
    path = tmp_path / "Tiny-F32.gguf"
    write_tiny_llama(path, head_size=128)
    flags = QuantizeFlags(
        tensor_types=("attn_q=Q4_0",), token_embedding_type="F16", is_pure=True, n_threads=1
    )
    weights = quantized_file(GgufFile(path).fetch(), flags.options("Q8_0"))
    (step,) = weights.steps
    assert (step.kind, step.type, step.tensor_types) == ("quantize", "Q8_0", {"attn_q": "Q4_0"})
    assert [one.name for one in step.inputs] == ["Tiny-F32.gguf"]
    assert len(step.llama_cpp_commit) >= 7
    monkeypatch.chdir(tmp_path)
    assert run(step.command[1:]) == 0
    assert step.command[-2] == weights.file.name
    assert (tmp_path / step.command[-2]).read_bytes() == weights.file.path.read_bytes()
