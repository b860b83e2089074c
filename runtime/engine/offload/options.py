"""How much of a model GPUs are to hold, as llama.cpp's flags say it."""

import re
from typing import TypeVar

import msgspec

from runtime.engine.attention import AttentionOptions
from runtime.errors import UsageError

T = TypeVar("T", int, float)

# llama.cpp's values.
SPLIT_MODES = {"none": 0, "layer": 1, "row": 2, "tensor": 3}
MAX_DEVICES = 16
# What users say for layers, and llama.cpp's numbers for it.
_AUTO, _ALL = -1, -2
NO_DEVICE = "none"

MIB = 1024 * 1024


class OffloadOptions(msgspec.Struct, frozen=True):
    """What is computed on GPUs.

    Args:
        gpu_layers: How many layers: a number, `auto` for those that fit, or `all`.
        device: Names of devices, between commas; empty leaves the choice to llama.cpp.
        split_mode: How several share a model: `none`, `layer`, `row` or `tensor`.
        tensor_split: Each device's share of it, between commas; empty goes by free memory.
        main_gpu: Which of them has it alone, or what cannot be split.
        fit_target: MiB that `auto` leaves free on each device, between commas, or on all.
        ctx_size: Tokens of context that must fit, too; 0 leaves the choice to us.
        batch_size: Tokens in one batch at most.
        ubatch_size: Tokens computed at once at most.
        parallel: Requests worked on at once.
        attention: The KV cache's types and flash attention.

    Raises:
        UsageError: A value is none of these.
    """

    gpu_layers: str = "auto"
    device: str = ""
    split_mode: str = "layer"
    tensor_split: str = ""
    main_gpu: int = 0
    fit_target: str = "1024"
    ctx_size: int = 0
    batch_size: int = 2048
    ubatch_size: int = 512
    parallel: int = 4
    attention: AttentionOptions = msgspec.field(default_factory=AttentionOptions)

    def __post_init__(self) -> None:
        """Check the values."""
        if self.split_mode not in SPLIT_MODES:
            raise UsageError(
                f"split-mode is {self.split_mode!r}, which is none of {', '.join(SPLIT_MODES)}.",
                hint="Leave it out; the layers are shared then.",
            )
        self.num_layers  # noqa: B018 - it checks
        self.shares()
        self.reserves(1)

    @property
    def num_layers(self) -> int | None:
        """How many layers are asked for: None for those that fit, negative for all."""
        try:
            number = {"auto": _AUTO, "all": _ALL}.get(self.gpu_layers) or int(self.gpu_layers)
        except ValueError:
            raise UsageError(
                f"gpu-layers is {self.gpu_layers!r}, and must be a number, auto or all."
            ) from None
        return None if number == _AUTO else number

    @property
    def device_names(self) -> list[str]:
        """The devices that are named."""
        return self.device.split(",") if self.device else []

    def shares(self) -> list[float]:
        """Return each device's share; empty where none is given."""
        return _numbers("tensor-split", self.tensor_split, float) if self.tensor_split else []

    def reserves(self, num_devices: int) -> list[int]:
        """Return the bytes that stay free on each of so many devices."""
        given = _numbers("fit-target", self.fit_target, int)
        given += given[-1:] * (num_devices - len(given))
        return [mib * MIB for mib in given[:num_devices]]


def _numbers(name: str, text: str, kind: type[T]) -> list[T]:
    try:
        numbers = [kind(part) for part in re.split("[,/]+", text)]
    except ValueError:
        numbers = []
    if not 0 < len(numbers) < MAX_DEVICES or min(numbers) < 0:
        raise UsageError(
            f"{name} is {text!r}, and must be numbers between commas, at most {MAX_DEVICES - 1}."
        )
    return numbers
