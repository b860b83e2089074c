"""Settings of GPUs in a solofile that has no plugin."""

import logging
from pathlib import Path

import pytest

from builder.native.llamacpp import native_libraries
from builder.targets import host_target
from runtime.cli import offload_settings
from runtime.cli.command import load_options
from runtime.engine.weights import Weights
from runtime.errors import UsageError
from runtime.payload import Payload
from runtime.settings.values import Settings
from tests.gpu_libraries import run_with

pytestmark = pytest.mark.usefixtures("binding")
PAYLOAD = Payload(Path("a.gguf"), Weights(Path("a.gguf"), 0, 1), None)


@pytest.fixture(autouse=True)
def nothing_said(caplog: pytest.LogCaptureFixture) -> None:
    """No test has asked for layers before."""
    caplog.set_level(logging.WARNING)
    offload_settings._warn_once.cache_clear()


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(gpu_layers="0"), Settings(device="none"), Settings(main_gpu=1)],
)
def test_what_asks_for_nothing_is_silent(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Most solofiles compute on the processor, and that is no news."""
    assert load_options(PAYLOAD, settings).offload is None
    assert caplog.messages == []


def test_layers_that_were_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """They go nowhere, which is said once."""
    for _ in range(2):
        assert load_options(PAYLOAD, Settings(gpu_layers="all")).offload is None
    assert caplog.messages == [
        "--gpu-layers has no effect: no GPU plugin is in this solofile. Build it with --gpu vulkan."
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(device="Vulkan0"), "There is no device Vulkan0: no GPU plugin is in this"),
        (Settings(gpu_layers="many"), "gpu-layers is 'many'"),
        (Settings(split_mode="half"), "split-mode is 'half'"),
    ],
)
def test_what_has_no_sense_is_refused(settings: Settings, message: str) -> None:
    """With or without a plugin."""
    with pytest.raises(UsageError, match=message):
        load_options(PAYLOAD, settings)


def test_devices_without_a_plugin(gguf: Path) -> None:
    """The processor, and what would bring more."""
    libraries = native_libraries(host_target())
    told = run_with(libraries, "-m", "runtime", "info", "--devices", gguf)
    cpu, gpu = told.stdout.splitlines()
    assert cpu.startswith("CPU ")
    assert gpu == ("GPU       none: no GPU plugin is in this solofile; build it with --gpu vulkan")
