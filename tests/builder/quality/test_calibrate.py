"""Importance matrices from a text: the sums are right, and the types that need one get one."""

from collections.abc import Mapping
from pathlib import Path

import gguf
import msgspec
import numpy as np
import pytest

from builder.child import ChildFailedError
from builder.gguf.header import read_header
from builder.quality.calibrate import cached_imatrix, calibrate
from builder.quantize.imatrix import read_imatrix
from builder.quantize.options import QuantizeOptions
from builder.quantize.quantize import quantize, quantized
from builder.quantize.table import QUANTIZATIONS
from runtime.errors import UsageError
from tests.builder.quality.sample_text import chunks_of, write_text
from tests.builder.quantize.test_quantize import write_split
from tests.runtime.engine.tiny_llama import write_tiny_llama

ATTENTION = [f"blk.0.attn_{part}.weight" for part in ("k", "output", "q", "v")]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three chunks and a little more."""
    return write_text(tmp_path_factory.mktemp("text") / "letters.txt", 3 * 512 + 20)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose rows are long enough for the types with blocks of 256."""
    path = tmp_path_factory.mktemp("tiny") / "Tiny-F32.gguf"
    write_tiny_llama(path, head_size=128, n_ff=256)
    return path


def values_of(path: Path) -> dict[str, np.ndarray]:
    return {str(one.name): np.array(one.data) for one in gguf.GGUFReader(path).tensors}


def normalized(rows: np.ndarray) -> np.ndarray:
    """Return what a layer's norm, whose weights are 1 here, makes of rows."""
    return np.asarray(rows / np.sqrt((rows**2).mean(axis=-1, keepdims=True) + 1e-5))


def test_sums(model: Path, text: Path, tmp_path: Path) -> None:
    """They are those of the inputs as numpy computes them, chunk by chunk."""
    calibrate([model], text, tmp_path / "imatrix.gguf")
    found = values_of(tmp_path / "imatrix.gguf")
    feed_forward = [f"blk.0.ffn_{part}.weight" for part in ("down", "gate", "up")]
    assert set(found) == {
        f"{name}.{suffix}" for name in ATTENTION + feed_forward for suffix in ("in_sum2", "counts")
    }
    chunks = chunks_of(text)
    assert chunks.shape == (3, 512)
    inputs = normalized(values_of(model)["token_embd.weight"][chunks.ravel()])
    for name in ("q", "k", "v"):
        sums = found[f"blk.0.attn_{name}.weight.in_sum2"]
        assert np.allclose(sums.ravel(), (inputs**2).sum(axis=0), rtol=1e-4)
    # The norm before the feed-forward part makes each row's mean square 1.
    for name in ("gate", "up"):
        assert found[f"blk.0.ffn_{name}.weight.in_sum2"].sum() == pytest.approx(3 * 512 * 256, 1e-3)
    assert {float(found[name].item()) for name in found if name.endswith("counts")} == {3 * 512}
    header = read_header(tmp_path / "imatrix.gguf")
    assert header.text("general.type") == "imatrix"
    assert header.integer("imatrix.chunk_count") == 3
    assert header.integer("imatrix.chunk_size") == 512
    fields = gguf.GGUFReader(tmp_path / "imatrix.gguf").fields
    assert fields["imatrix.datasets"].contents() == ["letters.txt"]


def test_some_chunks(model: Path, text: Path, tmp_path: Path) -> None:
    """So many of them are read and no more."""
    calibrate([model], text, tmp_path / "imatrix.gguf", max_chunks=2)
    imatrix = read_imatrix(tmp_path / "imatrix.gguf")
    assert imatrix.num_chunks == 2
    assert np.mean(imatrix.means["blk.0.ffn_up.weight"]) == pytest.approx(1, 1e-3)


def test_experts(text: Path, tmp_path: Path) -> None:
    """Each token's input counts for the two experts it goes to, and for no other."""
    model, output = tmp_path / "moe.gguf", tmp_path / "imatrix.gguf"
    write_tiny_llama(model, head_size=128, n_ff=256, num_experts=4)
    calibrate([model], text, output)
    found = values_of(output)
    router = found["blk.0.ffn_gate_inp.weight.in_sum2"].ravel()
    for name in ("gate", "up", "down"):
        counts = found[f"blk.0.ffn_{name}_exps.weight.counts"].ravel()
        sums = found[f"blk.0.ffn_{name}_exps.weight.in_sum2"]
        assert sums.shape == (4, 256)
        assert counts.sum() == 2 * 3 * 512
        assert 0 < counts.min() < counts.max() < 3 * 512
        if name != "down":
            # What goes into them went into the router, once for each.
            assert np.allclose(sums.sum(axis=0), 2 * router, rtol=1e-4)
            assert np.allclose(sums.sum(axis=1), counts * 256, rtol=1e-3)


def error_of(path: Path, original: Mapping[str, np.ndarray], means: Mapping[str, object]) -> float:
    """Return how far quantized weights are off, where their inputs are large above all."""
    total = 0.0
    for tensor in gguf.GGUFReader(path).tensors:
        if tensor.name in means:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            weights = np.array(means[tensor.name])
            total += float((weights * (values - original[tensor.name]) ** 2).sum())
    return total


def test_quantizing_with_it(
    model: Path, text: Path, own_cache_with_llama_cpp: Path, tmp_path: Path
) -> None:
    """The smallest types become possible, and what matters is less off than with a flat matrix."""
    output, flat, kind = tmp_path / "out.gguf", tmp_path / "flat.gguf", QUANTIZATIONS["IQ2_XXS"]
    options = QuantizeOptions(quantization=kind, calibrate=text)
    quantize([model], output, options)
    assert read_header(output).text("quantize.imatrix.dataset") == "letters.txt"
    assert read_header(output).integer("quantize.imatrix.chunks_count") == 3
    (made,) = (own_cache_with_llama_cpp / "imatrix").glob("*.gguf")
    means, original = read_imatrix(made).means, values_of(model)
    one_for_all = {key: np.ones(len(values), np.float32) for key, values in means.items()}
    write_flat(tmp_path / "flat-imatrix.gguf", one_for_all)
    quantize(
        [model],
        flat,
        QuantizeOptions(quantization=kind, imatrix=tmp_path / "flat-imatrix.gguf"),
    )
    assert error_of(output, original, means) < error_of(flat, original, means)


def write_flat(path: Path, means: Mapping[str, np.ndarray]) -> None:
    writer = gguf.GGUFWriter(path, "")
    for name, values in means.items():
        writer.add_tensor(f"{name}.in_sum2", values)
        writer.add_tensor(f"{name}.counts", np.ones(1, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_the_cache(model: Path, text: Path, own_cache_with_llama_cpp: Path, tmp_path: Path) -> None:
    """It is computed once for a model and a text, whatever they are called and what it is for."""
    small = QuantizeOptions(quantization=QUANTIZATIONS["Q4_0"], calibrate=text)
    first = quantized([model], small)
    (made,) = (own_cache_with_llama_cpp / "imatrix").glob("*.gguf")
    before = made.stat()
    quantized([model], msgspec.structs.replace(small, quantization=QUANTIZATIONS["Q8_0"]))
    copy = tmp_path / "other.txt"
    copy.write_bytes(text.read_bytes())
    again = quantized([model], msgspec.structs.replace(small, calibrate=copy, n_threads=1))
    assert again.path == first.path
    assert made.stat().st_ino == before.st_ino
    copy.write_text(text.read_text("utf-8")[::-1], encoding="utf-8")
    other = quantized([model], msgspec.structs.replace(small, calibrate=copy))
    assert other.path != first.path
    assert len(list((own_cache_with_llama_cpp / "imatrix").glob("*.gguf"))) == 2


def test_a_split_model(model: Path, text: Path, tmp_path: Path) -> None:
    """All parts are loaded, and the same comes out as from one file."""
    calibrate(write_split(model, tmp_path), text, tmp_path / "split.gguf", max_chunks=1)
    calibrate([model], text, tmp_path / "whole.gguf", max_chunks=1)
    assert (tmp_path / "split.gguf").read_bytes() == (tmp_path / "whole.gguf").read_bytes()


def test_texts_that_will_not_do(model: Path, tmp_path: Path) -> None:
    """Each is told in a sentence, and nothing is left."""
    output, words = tmp_path / "imatrix.gguf", tmp_path / "words.txt"
    with pytest.raises(UsageError, match=r"There is no text .*words\.txt"):
        calibrate([model], words, output)
    words.write_bytes(b"caf\xe9 au lait")
    with pytest.raises(UsageError, match=r"words\.txt is no text in UTF-8: byte 3"):
        calibrate([model], words, output)
    words.write_text("short", encoding="utf-8")
    sentence = r"Calibrating failed: the text has 7 tokens, and 512 are needed\."
    with pytest.raises(ChildFailedError, match=sentence):
        calibrate([model], words, output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["words.txt"]


def test_models_that_will_not_do(
    text: Path, minilm_gguf: Path, tmp_path: Path, own_cache_with_llama_cpp: Path
) -> None:
    """One whose numbers are none, and one that generates no text."""
    broken, output = tmp_path / "broken.gguf", tmp_path / "imatrix.gguf"
    write_tiny_llama(broken, head_size=32)
    gguf.GGUFReader(broken, "r+").tensors[0].data[:] = np.nan
    with pytest.raises(ChildFailedError, match="the model computes no numbers, but NaN"):
        calibrate([broken], text, output)
    with pytest.raises(ChildFailedError, match="the model generates no text"):
        calibrate([minilm_gguf], text, output)
    with pytest.raises(ChildFailedError, match="is not a GGUF file"):
        calibrate([text], text, output)
    assert not output.exists()


def test_a_full_disk(model: Path, text: Path, small_disk: Path) -> None:
    """It is told, and nothing is left there."""
    (small_disk / "filler").write_bytes(bytes(1020 * 1024))
    with pytest.raises(ChildFailedError, match=f"{small_disk} cannot take the result: No space"):
        calibrate([model], text, small_disk / "imatrix.gguf")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_text_that_is_gone(model: Path, tmp_path: Path, own_cache_with_llama_cpp: Path) -> None:
    """It is told before anything is computed."""
    with pytest.raises(UsageError, match="There is no text"):
        cached_imatrix([model], ["0" * 64], tmp_path / "none.txt")
    assert not (own_cache_with_llama_cpp / "imatrix").exists()
