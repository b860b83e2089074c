"""Perplexity: the number is right, and a change is told with how sure it is."""

import math
from pathlib import Path

import gguf
import numpy as np
import pytest

from builder.child import ChildFailedError
from builder.quality.perplexity import TEXT, Perplexity, PerplexityChange, measure_perplexity
from builder.quantize.options import QuantizeOptions
from builder.quantize.table import QUANTIZATIONS
from builder.sources.gguf_file import GgufFile
from builder.weights import quantized_file
from runtime.errors import UsageError
from tests.builder.quality.sample_text import chunks_of, write_text
from tests.runtime.engine.tiny_llama import write_tiny_llama


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Two chunks and a little more."""
    return write_text(tmp_path / "letters.txt", 2 * 512 + 20)


def test_the_number(tmp_path: Path, text: Path) -> None:
    """It is that of the second half of each chunk, as numpy computes it without layers.

    Where attention and the feed-forward part give nothing, a token's logits depend on it alone.
    """
    model = tmp_path / "model.gguf"
    write_tiny_llama(model, head_size=32)
    tensors = {one.name: one.data for one in gguf.GGUFReader(model, "r+").tensors}
    tensors["blk.0.attn_output.weight"][:] = 0
    tensors["blk.0.ffn_down.weight"][:] = 0
    found = measure_perplexity([model], text, name="it")
    chunks = chunks_of(text)
    before, after = chunks[:, 256:-1].ravel(), chunks[:, 257:].ravel()
    rows = tensors["token_embd.weight"].astype(np.float64)
    rows = rows / np.sqrt((rows**2).mean(axis=1, keepdims=True) + 1e-5)
    logits = rows[before] @ tensors["output.weight"].astype(np.float64).T
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(after)), after]
    assert len(found.losses) == 2 * 255
    assert np.allclose(found.losses, losses, atol=0.02)
    assert found.value == pytest.approx(math.exp(losses.mean()), rel=1e-3)
    assert found.error == pytest.approx(
        found.value * losses.std(ddof=1) / math.sqrt(len(losses)), rel=1e-2
    )
    assert len(measure_perplexity([model], text, name="it", max_chunks=1).losses) == 255


def test_a_real_model(gguf: Path) -> None:
    """One that knows English is not surprised by the bundled text as one that knows nothing is."""
    found = measure_perplexity([gguf], name="SmolLM2", max_chunks=2)
    assert 25 < found.value < 60


def test_a_change(tmp_path: Path) -> None:
    """Both numbers, the difference in percent, and its error, which is that of the differences."""
    before = Perplexity([1.0, 2.0, 3.0])
    change = PerplexityChange.of(before, Perplexity([1.1, 2.1, 3.1]))
    assert str(change) == "7.39 -> 8.17 (+10.5 % ± 0.0 %)"
    assert PerplexityChange.of(before, Perplexity([0.9, 2.1, 3.0])).percent_error > 1
    assert PerplexityChange.of(before, before).percent == 0


def test_after_quantizing(
    gguf: Path, own_cache_with_llama_cpp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is measured where that is asked for, and the cached result does not depend on it."""
    text = write_text(tmp_path / "letters.txt", 600)
    monkeypatch.setattr("builder.quality.perplexity.TEXT", text)
    model = tmp_path / "Tiny-F32.gguf"
    write_tiny_llama(model, head_size=32)
    source = GgufFile(model).fetch()
    options = QuantizeOptions(quantization=QUANTIZATIONS["Q4_0"], measures_perplexity=True)
    made = quantized_file(source, options)
    assert made.perplexity is not None
    assert 20 < made.perplexity.before < 200
    assert made.perplexity.before != made.perplexity.after
    plain = quantized_file(source, QuantizeOptions(quantization=QUANTIZATIONS["Q4_0"]))
    assert plain.perplexity is None
    assert plain.file.path == made.file.path


def test_what_will_not_do(tmp_path: Path, text: Path, minilm_gguf: Path) -> None:
    """Each is told in a sentence."""
    with pytest.raises(UsageError, match="There is no text"):
        measure_perplexity([minilm_gguf], tmp_path / "none.txt", name="it")
    with pytest.raises(ChildFailedError, match="failed: the model generates no text"):
        measure_perplexity([minilm_gguf], text, name="it")
    broken = tmp_path / "broken.gguf"
    write_tiny_llama(broken, head_size=32)
    gguf.GGUFReader(broken, "r+").tensors[0].data[:] = np.nan
    with pytest.raises(ChildFailedError, match="failed: the model computes no numbers, but NaN"):
        measure_perplexity([broken], text, name="it")


def test_the_bundled_text() -> None:
    """It is plain English of some thousand words."""
    content = TEXT.read_text(encoding="ascii")
    assert 4000 < len(content.split()) < 5000
    assert content.startswith("Northanger Abbey")
