"""Choosing what fits into some memory."""

from pathlib import Path

import pytest

from builder.__main__ import run
from builder.fits import fitting, parse_memory
from builder.inspect import Choice, inspect_source
from builder.make import Order, prepare
from builder.quantize.options import QuantizeOptions
from builder.quantize.quantize import quantize
from builder.quantize.table import find_quantization
from builder.sources.gguf_file import GgufFile
from builder.sources.hub import HubModel
from builder.targets import host_target
from runtime.errors import ResourceError, UsageError
from runtime.machine import memory_total_bytes
from tests.builder.fake_hub import FakeHub, Repository
from tests.runtime.engine.tiny_llama import write_tiny_llama


@pytest.mark.parametrize(
    ("text", "size"),
    [("8GB", 8_000_000_000), ("1.5 gib", 1_610_612_736), ("512M", 512_000_000), ("70", 70)],
)
def test_sizes(text: str, size: int) -> None:
    """Units are those of disks, and with an i those of memory chips."""
    assert parse_memory(text) == size


def test_this_machine() -> None:
    """A fifth of what this machine has is left to others."""
    assert parse_memory("this") == pytest.approx(memory_total_bytes() * 0.8)


@pytest.mark.parametrize("text", ["", "much", "0GB", "-1GB", "8 apples"])
def test_no_sizes(text: str) -> None:
    """What is no size is told."""
    with pytest.raises(UsageError, match="is no size of memory"):
        parse_memory(text)


def test_a_repository(hub: FakeHub, repository: Repository) -> None:
    """The largest that fits is taken, and the next larger one is told."""
    (name,) = hub.repositories
    repository.files["Tiny-Q8_0.gguf"] += bytes(3 << 20)
    repository.files["Tiny-F16.gguf"] = repository.files["Tiny-Q4_K_M.gguf"] + bytes(9 << 20)
    by_name = {one.quantization: one for one in inspect_source(HubModel(name), 0).choices}
    fit = fitting(HubModel(name), by_name["Q8_0"].memory)
    why = fit.why
    assert fit.source.resolve().file_name == "Tiny-Q8_0.gguf"
    assert fit.quantization is None
    assert why.startswith("Chosen: Q8_0, which needs ")
    assert "the next larger, F16, needs" in why
    with pytest.raises(ResourceError, match=r"fits into 1\.0 MB: the smallest, Q\w+, needs"):
        fitting(HubModel(name), 1_000_000)
    roomy = fitting(HubModel(name), 1 << 40)
    assert roomy.source.resolve().file_name == "Tiny-F16.gguf"
    assert "next larger" not in roomy.why
    with pytest.raises(UsageError, match="Q8_0 is one model already"):
        fitting(HubModel(name, wanted="Q8_0"), 1 << 40)


def test_quantizing_as_well(gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What fits is told of models as they are, so both at once are refused."""
    assert run(["build", str(gguf), "--fits", "1GB", "--quantize", "Q4_0"]) == 2
    assert "Error: fits and quantize choose a type each" in capsys.readouterr().err


def test_a_file(gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One model fits or does not, which is found before anything is built."""
    source = GgufFile(gguf)
    assert fitting(source, 1 << 30).source is source
    assert run(["build", str(gguf), "--fits", "100MB"]) == 5
    assert "fits into 100.0 MB: the smallest, Q4_1, needs" in capsys.readouterr().err


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is not quantized, with rows for blocks of 256."""
    path = tmp_path_factory.mktemp("original") / "Tiny-F32.gguf"
    write_tiny_llama(path, head_size=128, n_ff=512)
    return path


@pytest.fixture(scope="module")
def choices(original: Path) -> dict[str, Choice]:
    """What it could be quantized to."""
    return {one.quantization: one for one in inspect_source(GgufFile(original), 0).quantizable}


def test_what_an_original_could_become(
    original: Path, choices: dict[str, Choice], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The sizes are those that llama.cpp then writes, but for what the header says more."""
    assert next(iter(choices)) == "Q8_0"
    assert choices["Q8_0"].size > choices["Q6_K"].size > choices["Q4_K_M"].size
    options = QuantizeOptions(quantization=find_quantization("Q4_K_M"))
    quantize([original], tmp_path / "made.gguf", options)
    made = (tmp_path / "made.gguf").stat().st_size
    assert choices["Q4_K_M"].size == pytest.approx(made, abs=500)
    assert run(["inspect", str(original)]) == 0
    assert "with --quantize" in capfd.readouterr().out


def test_an_original_that_is_too_large(original: Path, choices: dict[str, Choice]) -> None:
    """The largest type that fits is chosen; the original, where that fits as well."""
    fit = fitting(GgufFile(original), choices["Q6_K"].memory)
    assert fit.quantization == find_quantization("Q6_K")
    assert fit.why.startswith("Chosen: Q6_K, quantized from F32, which needs ")
    assert "the next larger, Q8_0, needs" in fit.why
    assert fitting(GgufFile(original), 1 << 40).quantization is None
    least = min(one.memory for one in choices.values())
    with pytest.raises(ResourceError, match="the smallest, "):
        fitting(GgufFile(original), least - 1)


@pytest.mark.usefixtures("own_cache_with_llama_cpp")
def test_it_is_quantized(original: Path, choices: dict[str, Choice], tmp_path: Path) -> None:
    """`build --fits` quantizes to what it chose."""
    order = Order(
        source=GgufFile(original),
        target=host_target(),
        output=tmp_path / "out",
        fits_bytes=choices["Q4_K_M"].memory,
    )
    prepared = prepare(order)
    assert prepared.facts.quantization == "Q4_K_M"
    assert prepared.weights.file.path.stat().st_size < original.stat().st_size / 4


def test_a_repository_of_originals(
    hub: FakeHub, original: Path, choices: dict[str, Choice]
) -> None:
    """Sizes are told, and one is chosen, from the header alone; a named file is quantized, too."""
    data = original.read_bytes()
    hub.repositories["acme/Original"] = Repository({"Tiny-F32.gguf": data})
    found = {
        one.quantization: one for one in inspect_source(HubModel("acme/Original"), 0).quantizable
    }
    assert found == choices
    for wanted in ("", "F32"):
        fit = fitting(HubModel("acme/Original", wanted=wanted), choices["Q5_K_M"].memory)
        assert fit.quantization == find_quantization("Q5_K_M")
        assert fit.source.resolve().file_name == "Tiny-F32.gguf"
    assert all("bytes=" in one for one in hub.requests if "/resolve/" in one)


def test_what_is_quantized_already_is_not_again(gguf: Path) -> None:
    """Of a quantized model there is nothing more to choose from."""
    assert inspect_source(GgufFile(gguf), 0).quantizable == []
