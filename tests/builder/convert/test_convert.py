"""Converting with llama.cpp's own converter: what it makes runs, and what it refuses is told."""

import json
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import gguf as gguf_package
import numpy as np
import pytest

from builder.convert.adapter import read_adapter
from builder.convert.checkpoint import read_checkpoint
from builder.convert.convert import command, convert, converted
from builder.convert.options import ConvertOptions
from builder.errors import DiskError, ToolError
from builder.gguf.header import read_header
from builder.quantize.options import QuantizeOptions
from builder.quantize.quantize import quantize
from builder.quantize.table import QUANTIZATIONS
from runtime.engine.adapters import AdapterFile
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import GenerationRequest
from runtime.engine.weights import Weights
from runtime.errors import UnsupportedError, UsageError
from tests.builder.convert.tiny_checkpoint import write_adapter, write_checkpoint
from tests.checkpoints import TINY, VISION
from tests.runtime.engine.asking import Asked

OPTIONS = ConvertOptions()
ARCHITECTURES = {"mistral": "llama", "qwen3_moe": "qwen3moe", "gemma3_text": "gemma3"}


@pytest.fixture(scope="module")
def tiny_ggufs(
    tiny_checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Each small checkpoint, converted; two at a time, as most of it is waiting for imports."""
    folder = tmp_path_factory.mktemp("ggufs")

    def make(name: str) -> Path:
        path = folder / f"{name}.gguf"
        convert(read_checkpoint(tiny_checkpoints[name], ConvertOptions("f16")), path)
        return path

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(TINY, pool.map(make, TINY), strict=True))


def answer(path: Path, *adapters: AdapterFile, lora: dict[int, float] | None = None) -> str:
    """Return what a model says after a few words."""
    options = EngineOptions(
        Weights(path, 0, path.stat().st_size), n_ctx=256, n_threads=1, adapters=adapters
    )
    engine = Engine.start(options)
    try:
        engine.wait_until_loaded()
        tokens = engine.model.tokenize("the quick brown fox", add_special=True, parse_special=False)
        params, asked = SamplingParams(temperature=0, ignore_eos=True), Asked()
        engine.submit(GenerationRequest(tokens, params, max_tokens=8, lora=lora), asked.events.put)
        text = asked.text()
        assert asked.finished.stats.completion_tokens == 8
        return text
    finally:
        engine.stop()


@pytest.mark.usefixtures("binding")
@pytest.mark.parametrize("name", TINY)
def test_every_architecture(name: str, tiny_ggufs: dict[str, Path], tmp_path: Path) -> None:
    """A checkpoint becomes a GGUF of its architecture and name, is quantized, and both run."""
    header = read_header(tiny_ggufs[name])
    assert header.text("general.architecture") == ARCHITECTURES.get(name, name)
    assert header.text("general.name").lower().replace(" ", "_") == name
    assert header.integer("general.file_type") == 1
    answer(tiny_ggufs[name])
    quantization = QUANTIZATIONS["Q4_0"]
    output = tmp_path / "tiny-Q4_0.gguf"
    quantize([tiny_ggufs[name]], output, QuantizeOptions(quantization=quantization))
    assert output.stat().st_size < tiny_ggufs[name].stat().st_size
    answer(output)


def test_the_weights_are_the_checkpoint_s(
    tiny_checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    """With `auto` a checkpoint's bfloat16 is kept bit by bit."""
    folder = tiny_checkpoints["qwen2"]
    convert(read_checkpoint(folder, OPTIONS), tmp_path / "out.gguf")
    tensors = {
        tensor.name: tensor for tensor in gguf_package.GGUFReader(tmp_path / "out.gguf").tensors
    }
    down = tensors["blk.1.ffn_down.weight"]
    assert down.tensor_type == gguf_package.GGMLQuantizationType.BF16
    content = (folder / "model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    info = json.loads(content[8 : 8 + length])["model.layers.1.mlp.down_proj.weight"]
    start, end = (8 + length + offset for offset in info["data_offsets"])
    assert down.data.tobytes() == content[start:end]


@pytest.mark.usefixtures("binding")
def test_an_adapter(
    tiny_checkpoints: dict[str, Path], tiny_ggufs: dict[str, Path], tmp_path: Path
) -> None:
    """A LoRA adapter of PEFT's keeps its numbers, and changes what the model says."""
    folder = write_adapter(tmp_path / "Pirate")
    item = read_adapter(folder, tiny_checkpoints["qwen3"], OPTIONS)
    output = tmp_path / "pirate.gguf"
    convert(item, output)
    header = read_header(output)
    assert header.text("general.architecture") == "qwen3"
    assert (header.text("general.type"), header.text("adapter.type")) == ("adapter", "lora")
    (down,) = (
        tensor
        for tensor in gguf_package.GGUFReader(output).tensors
        if tensor.name == "blk.1.attn_q.weight.lora_a"
    )
    random = np.random.default_rng(5)
    expected = [random.standard_normal((2, 128)).astype(np.float32)[0] for _ in range(2)][1]
    assert np.array_equal(down.data.ravel(), expected)
    adapter = AdapterFile(output, "pirate.gguf")
    texts = {answer(tiny_ggufs["qwen3"], adapter, lora={0: scale}) for scale in (0.0, 1.0)}
    assert len(texts) == 2
    assert command(item, "pirate.gguf") == [
        "convert_lora_to_gguf.py", "Pirate", "--outfile", "pirate.gguf", "--outtype", "f32",
        "--base", "base",
    ]  # fmt: skip


def test_a_projector(tiny_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """Of a model that sees, the part that reads images becomes a file of its own."""
    item = read_checkpoint(tiny_checkpoints[VISION], ConvertOptions(is_mmproj=True))
    convert(item, tmp_path / "mmproj.gguf")
    header = read_header(tmp_path / "mmproj.gguf")
    assert (header.text("general.architecture"), header.text("general.type")) == ("clip", "mmproj")
    assert header.text("clip.projector_type") == "idefics3"
    assert header.integer("clip.vision.projection_dim") == 64


def test_the_cache(
    tiny_checkpoints: dict[str, Path],
    own_results: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The same content, name and options are converted once, wherever the folder lies."""
    folder = tmp_path / "phi3"
    shutil.copytree(tiny_checkpoints["phi3"], folder)
    first = converted(read_checkpoint(tiny_checkpoints["phi3"], OPTIONS))
    assert first.path.parent == own_results / "converted"
    assert [file.name for file in first.inputs][:2] == ["model.safetensors", "config.json"]
    capfd.readouterr()
    assert converted(read_checkpoint(folder, OPTIONS)) == first
    assert "converter" not in capfd.readouterr().err
    config = (folder / "config.json").read_text(encoding="utf-8")
    (folder / "config.json").write_text(config.replace("256", "128"), encoding="utf-8")
    other = converted(read_checkpoint(folder, OPTIONS)).path
    assert other != first.path
    assert read_header(other).integer("phi3.context_length") == 128


def test_killed(tiny_checkpoints: dict[str, Path], own_results: Path) -> None:
    """A killed run takes the converter with it, and what it leaves is never taken for a result."""
    program = "import sys; from pathlib import Path; from builder.convert.convert import converted;"
    program += "from builder.convert.checkpoint import read_checkpoint as read;"
    program += "from builder.convert.options import ConvertOptions as Options;"
    program += "converted(read(Path(sys.argv[1]), Options()))"
    arguments = [sys.executable, "-c", program, str(tiny_checkpoints["gemma"])]
    folder = own_results / "converted"
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not running_converters(own_results):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while running_converters(own_results):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not list(folder.glob("*.gguf"))
    assert list(folder.glob(".*.part"))
    time.sleep(2.1)  # Younger files could be another build's.
    made = converted(read_checkpoint(tiny_checkpoints["gemma"], OPTIONS))
    assert [path for path in folder.iterdir() if path.suffix != ".lock"] == [made.path]
    assert read_header(made.path).text("general.architecture") == "gemma"


def running_converters(cache: Path) -> list[str]:
    """Return the command lines of converters whose environment lies in a cache."""
    lines = subprocess.check_output(["ps", "-ww", "-eo", "args"], text=True).splitlines()
    return [line for line in lines if line.startswith(str(cache)) and "driver.py" in line]


def changed(source: Path, folder: Path, name: str, **changes: object) -> Path:
    """Copy a checkpoint and change values of one of its JSON files."""
    shutil.copytree(source, folder)
    path = folder / name
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return folder


@pytest.mark.usefixtures("converter_python")
def test_unknown_architecture(tmp_path: Path) -> None:
    """An architecture that this llama.cpp does not know is named, and so is llama.cpp."""
    folder = write_checkpoint(tmp_path / "Tiny")
    (folder / "config.json").write_text('{"architectures": ["PhloxForCausalLM"]}', encoding="utf-8")
    sentence = r"Tiny cannot be converted: llama\.cpp \w+ does not know the architecture PhloxFor"
    with pytest.raises(UnsupportedError, match=sentence):
        convert(read_checkpoint(folder, OPTIONS), tmp_path / "out.gguf")
    with pytest.raises(UnsupportedError, match="does not know the projector PhloxForCausalLM"):
        convert(read_checkpoint(folder, ConvertOptions(is_mmproj=True)), tmp_path / "out.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["Tiny"]


def test_unknown_tokenizer(tiny_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """A tokenizer that splits in a way the converter does not know is told so."""
    pre_tokenizer = {"type": "Whitespace"}
    folder = changed(
        tiny_checkpoints["qwen2"], tmp_path / "Tiny", "tokenizer.json", pre_tokenizer=pre_tokenizer
    )
    with pytest.raises(UnsupportedError, match=r"Tiny.*does not know its tokenizer"):
        convert(read_checkpoint(folder, OPTIONS), tmp_path / "out.gguf")


def test_code_in_a_checkpoint_is_not_run(tiny_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """A tokenizer that wants to run its own code is refused, and the code did not run."""
    folder = changed(
        tiny_checkpoints["qwen2"], tmp_path / "Tiny", "tokenizer_config.json",
        tokenizer_class="OwnTokenizer",
        auto_map={"AutoTokenizer": ["own.OwnTokenizer", "own.OwnTokenizer"]},
    )  # fmt: skip
    mark = tmp_path / "was-run"
    code = f"open({str(mark)!r}, 'w')\nfrom transformers import PreTrainedTokenizerFast\n"
    code += "class OwnTokenizer(PreTrainedTokenizerFast): pass\n"
    (folder / "own.py").write_text(code, encoding="utf-8")
    with pytest.raises(ToolError, match="needs code that comes with it"):
        convert(read_checkpoint(folder, OPTIONS), tmp_path / "out.gguf")
    assert not mark.exists()


def test_missing_tensors(tiny_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """What else the converter finds wrong is told in its words, as one sentence."""
    folder = changed(
        tiny_checkpoints["qwen2"], tmp_path / "Tiny", "config.json", num_hidden_layers=1
    )
    with pytest.raises(
        ToolError, match=r"Converting .*Tiny failed: ValueError: Can not map tensor"
    ):
        convert(read_checkpoint(folder, OPTIONS), tmp_path / "out.gguf")


def test_full_disk(tiny_checkpoints: dict[str, Path], small_disk: Path, tmp_path: Path) -> None:
    """A disk that is too small is told before the converter starts, or when it fills up."""
    item = read_checkpoint(tiny_checkpoints["qwen2"], OPTIONS)
    with pytest.raises(DiskError, match=r"the converted model needs 12\.\d MB"):
        convert(item, small_disk / "out.gguf")
    with pytest.raises(DiskError, match=r"The disk with .* is full"):
        convert(replace(item, num_elements=0), small_disk / "out.gguf")
    assert not list(small_disk.iterdir())


def test_output(tmp_path: Path) -> None:
    """An output that cannot be is told before anything else."""
    item = read_checkpoint(write_checkpoint(tmp_path / "Tiny"), OPTIONS)
    for output in (tmp_path, tmp_path / "nowhere" / "out.gguf"):
        with pytest.raises(UsageError, match="cannot be written"):
            convert(item, output)


def test_braces_in_the_output_s_name(tiny_checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """The file has the name that was asked for, though the converter fills in braces."""
    output = tmp_path / "out-{ftype}.gguf"
    convert(read_checkpoint(tiny_checkpoints["gemma"], OPTIONS), output)
    assert [path.name for path in tmp_path.iterdir()] == [output.name]
