"""Real computing by the Vulkan plugin, on whatever Vulkan device there is: Mesa's lavapipe will do.

`kit libraries --gpu vulkan` makes the plugin, in some minutes; without it these tests are skipped.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from builder.errors import ToolError
from builder.native.llamacpp import find_gpu_plugin
from builder.targets import host_target
from tests.gpu_libraries import libraries_with, run_with
from tests.runtime.engine.tiny_llama import write_tiny_llama

# A device that computes on the processor is none that llama.cpp takes by itself.
ANY_DEVICE = {"GGML_VK_VISIBLE_DEVICES": "0"}
MIB = 1024 * 1024
ALL = r"used, \d+ MiB for 31 of 31 layers"


@pytest.fixture(scope="module")
def vulkan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This machine's libraries with the Vulkan plugin."""
    try:
        folder = find_gpu_plugin(host_target(), "vulkan")
    except ToolError as error:
        pytest.skip(str(error))
    if folder is None:
        pytest.skip("the plugin was not built; `kit libraries --gpu vulkan` does that")
    return libraries_with(tmp_path_factory.mktemp("vulkan") / "llama", folder.iterdir())


@pytest.fixture(scope="module")
def device(vulkan: Path, gguf: Path) -> dict[str, Any]:
    """What `info --devices` says of the first Vulkan device."""
    told = run_with(vulkan, "-m", "runtime", "info", "--devices", "--json", gguf, **ANY_DEVICE)
    rows = {row["name"]: row for row in json.loads(told.stdout)}
    if "Vulkan0" not in rows:
        pytest.skip("there is no Vulkan device; Mesa's mesa-vulkan-drivers has one")
    row: dict[str, Any] = rows["Vulkan0"]
    return row


@pytest.fixture(scope="module")
def exact_model(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model whose weights are all float32."""
    path = tmp_path_factory.mktemp("exact") / "tiny.gguf"
    write_tiny_llama(path, head_size=32, num_layers=2, tokenizer_of=gguf)
    return path


def test_the_device_is_told(device: dict[str, Any]) -> None:
    """Its memory, and what of it the model takes."""
    assert 0 < device["free_bytes"] <= device["total_bytes"]
    found = re.fullmatch(r"used, (\d+) MiB for 31 of 31 layers and 8192 tokens", device["use"])
    assert found, device["use"]
    # The weights are 92 MiB, and 8192 tokens take 180 in the KV cache.
    assert 272 < int(found[1]) < 500


@pytest.mark.usefixtures("device")
def test_it_says_the_same_as_the_processor(vulkan: Path, exact_model: Path) -> None:
    """Greedy tokens of a model that no rounding turns."""
    command = (
        "-m", "runtime", "run", "-m", exact_model, "--temp", "0", "-n", "24", "-c", "256",
        "-ctk", "f32", "-ctv", "f32", "-fa", "off", "-lv", "3", "Hello",
    )  # fmt: skip
    there = run_with(vulkan, *command, "-ngl", "all", **ANY_DEVICE)
    here = run_with(vulkan, *command, "--device", "none")
    assert len(here.stdout) > 24
    assert there.stdout == here.stdout


@pytest.mark.usefixtures("device")
def test_prompts_on_disk_are_of_one_placement(
    vulkan: Path, exact_model: Path, tmp_path: Path
) -> None:
    """The device finds its own again and nothing of the processor's, and the other way around."""

    def ask(layers: str) -> tuple[int, str]:
        module = "tests.runtime.engine.offload.ask"
        told = run_with(vulkan, "-m", module, exact_model, tmp_path, layers, **ANY_DEVICE)
        assert told.returncode == 0, told.stderr
        found, text = told.stdout.split(maxsplit=1)
        return int(found), text

    tries = [ask(layers) for layers in ("none", "all", "1", "all", "none")]
    assert [found > 0 for found, _ in tries] == [False, False, False, True, True]
    assert len({text for _, text in tries}) == 1


@pytest.mark.usefixtures("device")
def test_layers_that_do_not_fit_stay_here(vulkan: Path, gguf: Path, device: dict[str, Any]) -> None:
    """What a reserve leaves decides; some layers are on the device then, and some are not."""
    free = device["free_bytes"] // MIB
    told = run_with(
        vulkan, "-m", "runtime", "run", "-m", gguf, "--fit-target", str(free - 240),
        "-n", "1", "-lv", "3", "Hi", **ANY_DEVICE,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    found = re.search(r"(\d+) of 31 layers fit on GPUs", told.stderr)
    assert found, told.stderr
    assert 0 < int(found[1]) < 31


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize(
    ("settings", "uses"),
    [
        ({}, [ALL, ALL]),
        ({"SPLIT_MODE": "none", "MAIN_GPU": "1"}, ["not used: the settings leave it out", ALL]),
        ({"DEVICE": "Vulkan1"}, ["not used: the settings leave it out", ALL]),
        ({"GPU_LAYERS": "10"}, [ALL.replace("31 of", "10 of")] * 2),
        ({"FIT_TARGET": "999999"}, ["not used: too little memory beside the 999999 MiB"] * 2),
        ({"GPU_LAYERS": "0"}, ["no layers, as was asked for"] * 2),
    ],
)
def test_how_two_devices_share(
    vulkan: Path, gguf: Path, settings: dict[str, str], uses: list[str]
) -> None:
    """To llama.cpp the same one twice is two."""
    told = _uses_of_two(vulkan, gguf, settings)
    assert all(re.match(use, said) for use, said in zip(uses, told, strict=True)), told


@pytest.mark.usefixtures("device")
def test_shares_that_are_given(vulkan: Path, gguf: Path) -> None:
    """Three quarters of the layers take more than half of them do."""
    shares = [
        int(_uses_of_two(vulkan, gguf, {"TENSOR_SPLIT": split})[0].split()[1])
        for split in ("1,3", "1,1", "3,1")
    ]
    assert shares == sorted(set(shares))


def _uses_of_two(vulkan: Path, gguf: Path, settings: dict[str, str]) -> list[str]:
    variables = {f"SOLOFILE_{name}": value for name, value in settings.items()}
    told = run_with(
        vulkan, "-m", "runtime", "info", "--devices", "--json", gguf,
        GGML_VK_VISIBLE_DEVICES="0,0", **variables,
    )  # fmt: skip
    rows = {row["name"]: row["use"] for row in json.loads(told.stdout)}
    return [rows["Vulkan0"], rows["Vulkan1"]]


@pytest.mark.usefixtures("device")
def test_none_of_it_fits(vulkan: Path, gguf: Path) -> None:
    """Then the device is left alone, and the processor answers."""
    told = run_with(
        vulkan, "-m", "runtime", "run", "-m", gguf, "-fitt", "999999", "-n", "2", "-lv", "3", "Hi",
        **ANY_DEVICE,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "0 of 31 layers fit on GPUs" in told.stderr


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("layers", ["auto", "all"])
def test_vulkan_shares_no_rows(vulkan: Path, gguf: Path, layers: str) -> None:
    """llama.cpp can only do that by CUDA and the like; one sentence says so."""
    told = run_with(
        vulkan, "-m", "runtime", "run", "-m", gguf, "-sm", "row", "-ngl", layers, "Hi",
        **ANY_DEVICE,
    )  # fmt: skip
    assert told.returncode != 0
    assert told.stderr == (
        "Error: GPUs of this kind cannot share a model by rows: device Vulkan0 does not support "
        "split buffers. Leave out --split-mode row.\n"
    )


@pytest.mark.usefixtures("device")
def test_devices_are_counted_from_0(vulkan: Path, gguf: Path) -> None:
    """A number too high is refused before the model is loaded."""
    told = run_with(
        vulkan, "-m", "runtime", "run", "-m", gguf, "-sm", "none", "-mg", "7", "Hi", **ANY_DEVICE
    )
    assert told.returncode != 0
    assert "main-gpu is 7, and there are" in told.stderr


def test_no_driver_at_all(vulkan: Path, gguf: Path) -> None:
    """The plugin loads and finds nothing; the answer comes from the processor, without a crash.

    ggml lets go of such a plugin and then trips over it when a process ends in the usual way.
    """
    nowhere = {"VK_DRIVER_FILES": "/nonexistent", "VK_ICD_FILENAMES": "/nonexistent"}
    told = run_with(vulkan, "-m", "runtime", "info", "--devices", gguf, **nowhere)
    assert (told.returncode, told.stderr) == (0, "")
    assert "GPU       none: vulkan finds no GPU with a driver\n" in told.stdout
    told = run_with(vulkan, "-m", "runtime", "run", "-m", gguf, "-n", "2", "Hi", **nowhere)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout


def test_a_device_of_the_processor_is_no_gpu(vulkan: Path, gguf: Path) -> None:
    """Without being told to, nothing is computed on a device that is the processor itself."""
    told = run_with(vulkan, "-m", "runtime", "info", "--devices", gguf)
    assert "llvmpipe" not in told.stdout
