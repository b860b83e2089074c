"""A solofile with the CUDA plugin, whose kit `kit build --gpu cuda` makes."""

import ctypes.util
import os
import subprocess
from pathlib import Path

import pytest

from builder.kit.at_hand import find_kit
from builder.make import Order, make_solofile
from builder.sources.parse import parse_source
from builder.targets import host_target


@pytest.fixture(scope="module")
def with_cuda(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A solofile of SmolLM2 with the plugin."""
    if find_kit(host_target(), gpu=["cuda"]) is None:
        pytest.skip("there is no such kit; `kit build --gpu cuda` makes one")
    path = tmp_path_factory.mktemp("cuda") / "model"
    order = Order(parse_source(str(gguf)), host_target(), path, gpu=["cuda"], is_smoke_tested=False)
    return Path(make_solofile(order).path)


def _run(solofile: Path, *arguments: str) -> str:
    completed = subprocess.run(
        [solofile, *arguments], env=os.environ, capture_output=True, text=True, timeout=300,
        check=True,
    )  # fmt: skip
    return completed.stdout


def test_it_answers_without_a_gpu(with_cuda: Path) -> None:
    """The processor does it all, and the report says why."""
    assert "GPU plugins      cuda\n" in _run(with_cuda, "info")
    assert _run(with_cuda, "run", "--device", "none", "-n", "3", "Hello")
    if ctypes.util.find_library("cuda"):
        pytest.skip("this machine has a driver")
    told = _run(with_cuda, "info", "--devices").splitlines()
    assert told[0].startswith("CPU ")
    assert told[1:] == [
        "GPU       none: the system has no driver for cuda (libcuda.so.1 is missing)"
    ]
    assert _run(with_cuda, "run", "-n", "3", "Hello")


def test_what_of_nvidia_is_in_it(with_cuda: Path) -> None:
    """Its terms go along."""
    told = _run(with_cuda, "licenses")
    assert "NVIDIA CUDA Runtime" in told
    assert "CUDA Core Compute Libraries" in told


def test_it_answers_on_a_device(with_cuda: Path) -> None:
    """Where there is one."""
    if "CUDA0" not in _run(with_cuda, "info", "--devices"):
        pytest.skip("there is no CUDA device")
    assert _run(with_cuda, "run", "-ngl", "all", "-n", "3", "Hello")
