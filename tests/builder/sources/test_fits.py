"""Choosing what fits into some memory."""

from pathlib import Path

import pytest

from builder.__main__ import run
from builder.fits import fitting, parse_memory
from builder.inspect import inspect_source
from builder.sources.gguf_file import GgufFile
from builder.sources.hub import HubModel
from runtime.errors import ResourceError, UsageError
from runtime.machine import memory_total_bytes
from tests.builder.fake_hub import FakeHub, Repository


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
    source, why = fitting(HubModel(name), by_name["Q8_0"].memory)
    assert source.resolve().file_name == "Tiny-Q8_0.gguf"
    assert why.startswith("Chosen: Q8_0, which needs ")
    assert "the next larger, F16, needs" in why
    with pytest.raises(ResourceError, match=r"fits into 1\.0 MB: the smallest, Q\w+, needs"):
        fitting(HubModel(name), 1_000_000)
    roomy, why = fitting(HubModel(name), 1 << 40)
    assert roomy.resolve().file_name == "Tiny-F16.gguf"
    assert "next larger" not in why
    with pytest.raises(UsageError, match="Q8_0 is one model already"):
        fitting(HubModel(name, wanted="Q8_0"), 1 << 40)


def test_quantizing_as_well(gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What fits is told of models as they are, so both at once are refused."""
    assert run(["build", str(gguf), "--fits", "1GB", "--quantize", "Q4_0"]) == 2
    assert "Error: fits and quantize choose a type each" in capsys.readouterr().err


def test_a_file(gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One model fits or does not, which is found before anything is built."""
    source = GgufFile(gguf)
    assert fitting(source, 1 << 30)[0] is source
    assert run(["build", str(gguf), "--fits", "100MB"]) == 5
    assert "fits into 100.0 MB: the smallest, Q4_1, needs" in capsys.readouterr().err
