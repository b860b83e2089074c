"""Where layers go, and what depends on it."""

from pathlib import Path

import pytest

from runtime.engine.attention import AttentionOptions
from runtime.engine.llama import Llama
from runtime.engine.model import Model
from runtime.engine.offload.devices import Device, DeviceKind
from runtime.engine.offload.options import OffloadOptions
from runtime.engine.offload.placement import Placement
from runtime.engine.state_facts import state_facts
from runtime.engine.weights import Weights

GPU = Device(1, "Vulkan0", "Some GPU", DeviceKind.GPU, 2**30, 2**31)


@pytest.mark.parametrize(
    ("layers", "share"), [("all", 0), ("31", 0), ("99", 0), ("0", 1), ("15", 16 / 31)]
)
def test_what_stays_in_the_machines_memory(layers: str, share: float) -> None:
    """Of 30 layers and the output, which is counted as one."""
    placement = Placement(OffloadOptions(gpu_layers=layers), [GPU])
    assert placement.host_share(30) == pytest.approx(share)


@pytest.mark.usefixtures("binding")
def test_states_are_of_one_placement(gguf: Path) -> None:
    """What was computed elsewhere is rounded otherwise, and may be laid out otherwise."""
    model = Model.load(Llama.load(), Weights(gguf, 0, gguf.stat().st_size))
    placements = [
        None,
        Placement(OffloadOptions(gpu_layers="all"), [GPU]),
        Placement(OffloadOptions(gpu_layers="9"), [GPU]),
        Placement(OffloadOptions(gpu_layers="all", split_mode="row"), [GPU]),
        Placement(OffloadOptions(gpu_layers="all"), [GPU, GPU]),
    ]
    facts = []
    for model.placement in placements:
        facts.append(state_facts(model, AttentionOptions(), 512))
    assert len(set(facts)) == len(placements)
    assert all(other.startswith(facts[0]) for other in facts)
    model.close()


@pytest.mark.usefixtures("binding")
def test_llama_cpp_is_told() -> None:
    """By its own numbers and pointers."""
    api = Llama.load().api
    params = api.llama_model_default_params()
    options = OffloadOptions(gpu_layers="7", split_mode="none", tensor_split="3,1", main_gpu=2)
    placement = Placement(options, [GPU])
    placement.apply(params)
    assert (params.n_gpu_layers, params.split_mode, params.main_gpu) == (7, 0, 2)
    assert params.tensor_split[:3] == [3.0, 1.0, 0.0]
    assert params.devices
