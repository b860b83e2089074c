"""Quantizing small models with llama.cpp, and what is refused."""

import struct
from pathlib import Path

import gguf
import msgspec
import numpy as np
import pytest

from builder.child import ChildFailedError, run_child
from builder.errors import DiskError
from builder.gguf.header import read_header
from builder.gguf.tables import TENSOR_TYPES
from builder.quantize import quantize as quantize_module
from builder.quantize.options import QuantizeOptions, parse_tensor_types
from builder.quantize.plan import FAILED, PROCESS, plan_quantizations
from builder.quantize.process import QuantizeJob, Step
from builder.quantize.quantize import quantize, quantized
from builder.quantize.table import QUANTIZATIONS, find_quantization
from runtime.errors import DamagedFileError, UsageError
from tests.runtime.engine.tiny_llama import write_tiny_llama

Q8_0 = QuantizeOptions(quantization=QUANTIZATIONS["Q8_0"])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose rows are long enough for the types with blocks of 256."""
    path = tmp_path_factory.mktemp("tiny") / "Tiny-F32.gguf"
    write_tiny_llama(path, head_size=128, n_ff=256)
    return path


@pytest.fixture(scope="module")
def imatrix(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An importance matrix for it, as llama-imatrix writes one."""
    path = tmp_path_factory.mktemp("imatrix") / "imatrix.gguf"
    write_imatrix(model, path)
    return path


def write_imatrix(model: Path, path: Path) -> None:
    """Write one with two tokens' worth of random sums."""
    writer = gguf.GGUFWriter(path, "")
    writer.kv_data[0].clear()
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["text"])
    writer.add_uint32("imatrix.chunk_count", 3)
    writer.add_uint32("imatrix.chunk_size", 512)
    random = np.random.default_rng(2)
    for tensor in read_header(model).tensors:
        if len(tensor.shape) > 1:
            sums = random.random((1, tensor.shape[0]), dtype=np.float32)
            writer.add_tensor(f"{tensor.name}.in_sum2", sums)
            writer.add_tensor(f"{tensor.name}.counts", np.full((1, 1), 2, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def types_of(path: Path) -> dict[str, str]:
    return {tensor.name: TENSOR_TYPES[tensor.type_id].name for tensor in read_header(path).tensors}


def values_of(path: Path) -> dict[str, np.ndarray]:
    return {
        str(tensor.name): gguf.quants.dequantize(tensor.data, tensor.tensor_type).ravel()
        for tensor in gguf.GGUFReader(path).tensors
    }


def test_every_type(model: Path, imatrix: Path, tmp_path: Path) -> None:
    """llama.cpp writes every type of the table, as planned, and no weight is far off."""
    steps = [
        Step(str(tmp_path / f"{name}.gguf"), QuantizeOptions(quantization=one, imatrix=imatrix))
        for name, one in QUANTIZATIONS.items()
    ]
    list(run_child(PROCESS, QuantizeJob(str(model), steps), what=FAILED))
    plans = plan_quantizations([model], [step.options for step in steps])
    original = values_of(model)["blk.0.attn_q.weight"]
    errors = {}
    for step, plan in zip(steps, plans, strict=True):
        path = Path(step.output)
        header = read_header(path)
        assert types_of(path) == plan.types, path
        assert sum(tensor.size_bytes for tensor in header.tensors) == plan.size_bytes
        assert header.integer("general.file_type") == step.options.quantization.file_type
        try:
            values = values_of(path)["blk.0.attn_q.weight"]
        except (NotImplementedError, ValueError):  # Types newer than the package.
            continue
        errors[path.stem] = float(np.abs(values - original).mean() / np.abs(original).mean())
    assert len(errors) >= 30
    assert errors["F32"] == 0
    assert errors["Q8_0"] < errors["Q6_K"] < errors["Q5_K_M"] < errors["Q4_K_M"] < 0.15
    assert errors["Q4_K_M"] < errors["Q3_K_M"] < errors["Q2_K"] < errors["IQ1_S"] < 1


def test_options(tmp_path: Path) -> None:
    """Overrides, the output's type and the embedding's are obeyed; the rest is llama.cpp's."""
    model, output = tmp_path / "model.gguf", tmp_path / "out.gguf"
    write_tiny_llama(model, head_size=128, n_ff=32)
    options = QuantizeOptions(
        quantization=find_quantization("q4_k"),
        tensor_types=parse_tensor_types([r"attn_(q|k)=q6_k", "ATTN_V=f16"]),
        output_tensor_type=8,
        token_embedding_type=1,
        n_threads=1,
    )
    quantize([model], output, options)
    types = types_of(output)
    assert types["blk.0.attn_q.weight"] == types["blk.0.attn_k.weight"] == "Q6_K"
    assert types["blk.0.attn_v.weight"] == "F16"
    assert types["output.weight"] == "Q8_0"
    assert types["token_embd.weight"] == "F16"
    assert types["blk.0.attn_output.weight"] == "Q4_K"
    # Its rows of 32 fit no block of 256, as Q6_K has.
    assert types["blk.0.ffn_down.weight"] == "Q8_0"


def test_pure_and_left(model: Path) -> None:
    """`--pure` takes one type, where the mixture takes two; the output can be left."""
    mixed = QuantizeOptions(quantization=QUANTIZATIONS["Q4_K_M"])
    pure, left = (
        msgspec.structs.replace(mixed, is_pure=True),
        msgspec.structs.replace(mixed, leaves_output=True),
    )
    plans = plan_quantizations([model], [mixed, pure, left])
    assert [plan.types["output.weight"] for plan in plans] == ["Q6_K", "Q4_K", "F32"]
    assert {plans[1].types[f"blk.0.attn_{part}.weight"] for part in "qkv"} == {"Q4_K"}


def test_an_importance_matrix(model: Path, imatrix: Path, tmp_path: Path) -> None:
    """It changes the weights, makes the smallest types possible and is noted."""
    output = tmp_path / "out.gguf"
    options = QuantizeOptions(quantization=QUANTIZATIONS["IQ2_XXS"])
    with pytest.raises(UsageError, match="IQ2_XXS needs an importance matrix"):
        quantize([model], output, options)
    plain = QuantizeOptions(quantization=QUANTIZATIONS["Q4_K_M"])
    quantize([model], output, plain)
    without = output.read_bytes()
    quantize([model], output, msgspec.structs.replace(plain, imatrix=imatrix))
    assert output.read_bytes()[-1000:] != without[-1000:]
    header = read_header(output)
    assert header.text("quantize.imatrix.file") == "imatrix.gguf"
    assert header.integer("quantize.imatrix.chunks_count") == 3
    assert header.integer("quantize.imatrix.entries_count") == 9


def test_a_split_model(model: Path, tmp_path: Path) -> None:
    """All parts are read, and the same comes out as from one file."""
    parts = write_split(model, tmp_path)
    assert len(parts) > 2
    quantize(parts, tmp_path / "split.gguf", Q8_0)
    quantize([model], tmp_path / "whole.gguf", Q8_0)
    split, whole = (values_of(tmp_path / f"{name}.gguf") for name in ("split", "whole"))
    assert split.keys() == whole.keys()
    assert all(np.array_equal(split[name], whole[name]) for name in whole)
    assert "split.count" not in read_header(tmp_path / "split.gguf").pairs


def write_split(model: Path, folder: Path) -> list[Path]:
    """Write a model again, four tensors to a file."""
    reader = gguf.GGUFReader(model)
    writer = gguf.GGUFWriter(folder / "tiny.gguf", "llama", split_max_tensors=4)
    for key, field in reader.fields.items():
        if not key.startswith(("GGUF.", "general.architecture")):
            writer.add_key_value(key, field.contents(), field.types[0], *field.types[1:])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, np.array(tensor.data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(folder.glob("tiny-*.gguf"))


def test_quantized_already(model: Path, tmp_path: Path) -> None:
    """It is refused with the reason, unless it is asked for; the same type again is a copy."""
    first, second = tmp_path / "first.gguf", tmp_path / "second.gguf"
    quantize([model], first, Q8_0)
    smaller = QuantizeOptions(quantization=QUANTIZATIONS["Q4_0"])
    with pytest.raises(UsageError, match=r"first\.gguf is quantized already \(Q8_0\)"):
        quantize([first], second, smaller)
    assert not second.exists()
    quantize([first], second, msgspec.structs.replace(smaller, allows_requantize=True))
    assert types_of(second)["blk.0.attn_q.weight"] == "Q4_0"
    quantize([first], second, Q8_0)
    assert types_of(second) == types_of(first)


def test_the_cache(
    model: Path, own_cache_with_llama_cpp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same content and options are quantized once, wherever the file lies."""
    own_cache = own_cache_with_llama_cpp
    made = quantized([model], Q8_0)
    assert made.path.parent == own_cache / "quantized"
    copy = own_cache / "copy.gguf"
    copy.write_bytes(model.read_bytes())
    other = quantized([copy], QuantizeOptions(quantization=QUANTIZATIONS["Q4_0"]))
    assert other.path != made.path
    monkeypatch.setattr(quantize_module, "_quantize", None)
    assert quantized([copy], msgspec.structs.replace(Q8_0, n_threads=1)) == made
    copy.write_bytes(copy.read_bytes()[:-4] + struct.pack("<f", 0.25))
    with pytest.raises(TypeError, match="not callable"):
        quantized([copy], Q8_0)


def test_places_that_take_no_file(
    model: Path, read_only_folder: Path, small_disk: Path, tmp_path: Path
) -> None:
    """A folder that is not writable, a full disk and the model itself are told in one sentence."""
    with pytest.raises(DiskError, match=f"{read_only_folder} is not writable"):
        quantize([model], read_only_folder / "out.gguf", Q8_0)
    with pytest.raises(DiskError, match="nowhere is not a folder"):
        quantize([model], tmp_path / "nowhere" / "out.gguf", Q8_0)
    (small_disk / "filler").write_bytes(bytes(900_000))
    with pytest.raises(DiskError, match=r"the quantized model needs .* kB"):
        quantize([model], small_disk / "out.gguf", Q8_0)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    with pytest.raises(UsageError, match="is the model itself"):
        quantize([model], model, Q8_0)


def test_a_disk_that_fills_up_meanwhile(
    model: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others wrote since room was found is told as well, and nothing is left."""
    monkeypatch.setattr(quantize_module, "require_space", lambda *_, **__: None)
    (small_disk / "filler").write_bytes(bytes(900_000))
    with pytest.raises(DiskError, match="did not take all of the quantized model"):
        quantize([model], small_disk / "out.gguf", Q8_0)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_options_llama_cpp_refuses(model: Path, tmp_path: Path) -> None:
    """A pattern that is none is told in llama.cpp's words; a crash, as a crash."""
    broken = msgspec.structs.replace(
        QuantizeOptions(quantization=QUANTIZATIONS["Q4_0"]),
        tensor_types=parse_tensor_types(["attn_(q=Q8_0"]),
    )
    with pytest.raises(ChildFailedError, match="Quantizing failed: "):
        quantize([model], tmp_path / "out.gguf", broken)
    short = tmp_path / "short.gguf"
    short.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(DamagedFileError, match="is cut short"):
        quantize([short], tmp_path / "out.gguf", Q8_0)
    assert not (tmp_path / "out.gguf").exists()


@pytest.mark.parametrize("text", ["attn_v", "=Q8_0", "attn_v=Q9"])
def test_overrides_that_are_none(text: str) -> None:
    """An override needs a name and a type."""
    with pytest.raises(UsageError, match=r"gives no tensor a type|is no type a tensor"):
        parse_tensor_types([text])
