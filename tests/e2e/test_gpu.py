"""A solofile with the Vulkan plugin, whose kit `kit build --gpu vulkan` makes."""

import os
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from builder.kit.at_hand import find_kit
from builder.make import Order, make_solofile
from builder.sources.parse import parse_source
from builder.targets import host_target
from tests.solofile import ServedSolofile


@pytest.fixture(scope="module")
def with_vulkan(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A solofile of SmolLM2 with the plugin."""
    if find_kit(host_target(), gpu=["vulkan"]) is None:
        pytest.skip("there is no such kit; `kit build --gpu vulkan` makes one")
    path = tmp_path_factory.mktemp("gpu") / "model"
    order = Order(
        parse_source(str(gguf)), host_target(), path, gpu=["vulkan"], is_smoke_tested=False
    )
    return Path(make_solofile(order).path)


def _run(solofile: Path, *arguments: str, **variables: str) -> str:
    completed = subprocess.run(
        [solofile, *arguments], env=os.environ | variables, capture_output=True, text=True,
        timeout=300, check=True,
    )  # fmt: skip
    return completed.stdout


def test_it_says_what_it_can(with_vulkan: Path) -> None:
    """What was put in, and what this machine has for it."""
    assert "GPU plugins      vulkan\n" in _run(with_vulkan, "info")
    told = _run(with_vulkan, "info", "--devices")
    assert told.startswith("CPU ")
    assert "no GPU plugin" not in told


def test_it_answers_without_a_gpu(with_vulkan: Path) -> None:
    """The processor does it all."""
    assert _run(with_vulkan, "run", "--device", "none", "-n", "3", "Hello")
    assert _run(with_vulkan, "run", "-n", "3", "Hello")


def test_the_sandbox_closes_around_drivers(with_vulkan: Path) -> None:
    """Once the model is loaded, drivers' threads start nothing either; with none, all is on."""
    with ServedSolofile(with_vulkan, "serve", "--port", "0") as served:
        sandbox = _until_sealed(served)
        assert "--device none" in sandbox["files"]
        assert sandbox["network"] == sandbox["programs"] == "on"
    with ServedSolofile(with_vulkan, "serve", "--port", "0", "--device", "none") as served:
        assert set(_until_sealed(served).values()) == {"on"}


def _until_sealed(served: ServedSolofile) -> dict[str, str]:
    """Return what the server says of its sandbox, once nothing waits for the model any more."""
    deadline = time.monotonic() + 60
    while True:
        sandbox: dict[str, str] = httpx.get(f"{served.url}/props", timeout=60).json()["sandbox"]
        if "until the model is loaded" not in sandbox["programs"]:
            return sandbox
        assert time.monotonic() < deadline, "it was not sealed in time"
        time.sleep(0.02)


def test_it_answers_on_a_device(with_vulkan: Path) -> None:
    """Mesa's lavapipe is one, where it is installed."""
    any_device = {"GGML_VK_VISIBLE_DEVICES": "0"}
    if "Vulkan0" not in _run(with_vulkan, "info", "--devices", **any_device):
        pytest.skip("there is no Vulkan device; Mesa's mesa-vulkan-drivers has one")
    assert _run(with_vulkan, "run", "-ngl", "all", "-n", "3", "Hello", **any_device)
