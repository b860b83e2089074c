"""Where the layers of a model go: what was asked for, or what fits."""

import ctypes
import logging
from collections.abc import Sequence
from typing import Any

from runtime.engine.context_size import MAX_DEFAULT_N_CTX
from runtime.engine.llama import Llama
from runtime.engine.offload.devices import Device, gpus
from runtime.engine.offload.options import MAX_DEVICES, SPLIT_MODES, OffloadOptions
from runtime.engine.offload.plugins import load_plugins
from runtime.engine.weights import Weights
from runtime.errors import UsageError

logger = logging.getLogger(__name__)


class Placement:
    """How many layers go to which devices.

    Args:
        options: What was asked for.
        devices: The devices that were named; empty leaves the choice to llama.cpp.

    Attributes:
        num_layers: Layers on GPUs; negative for all.
        n_ctx_max: Tokens of context that fit beside them; None where nobody has counted.
    """

    def __init__(self, options: OffloadOptions, devices: Sequence[Device]) -> None:
        self._options = options
        self._devices = devices
        self.num_layers = options.num_layers or 0
        self.n_ctx_max: int | None = None
        self._uses_none = False
        # llama.cpp keeps pointers to these.
        self._handles = (ctypes.c_void_p * (len(devices) + 1))(
            *(device.handle for device in devices), None
        )
        self._shares = (ctypes.c_float * MAX_DEVICES)(*options.shares())

    def prepare(self, params: Any) -> None:
        """Write which devices take part into llama.cpp's `llama_model_params`."""
        options = self._options
        if self._devices or self._uses_none:
            params.devices = ctypes.cast(self._handles, ctypes.c_void_p)
        params.split_mode = SPLIT_MODES[options.split_mode]
        params.main_gpu = options.main_gpu
        if options.tensor_split:
            params.tensor_split = ctypes.cast(self._shares, ctypes.POINTER(ctypes.c_float))

    def apply(self, params: Any) -> None:
        """Write all of it there."""
        self.prepare(params)
        params.n_gpu_layers = self.num_layers

    def choose(self, num_layers: int, n_ctx_max: int | None = None) -> None:
        """Take so many layers; with none, GPUs do not even help with long prompts."""
        self.num_layers, self.n_ctx_max = num_layers, n_ctx_max
        if not num_layers:
            self._uses_none = True
            self._handles[0] = None

    def host_share(self, n_layer: int) -> float:
        """Return the share of a model with so many layers that stays in the machine's memory."""
        if self.num_layers < 0:
            return 0.0
        return max(0.0, 1 - self.num_layers / (n_layer + 1))

    @property
    def facts(self) -> str:
        """What rounding and the layout of states depend on, as one text."""
        options = self._options
        names = [f"{device.name}={device.description}" for device in self._devices or gpus()]
        return (
            f"{names} {self.num_layers} {options.split_mode} {options.tensor_split} "
            f"{options.main_gpu}"
        )


def place(llama: Llama, weights: Weights, options: OffloadOptions) -> Placement | None:
    """Load the GPU plugins and decide where the layers of a model go.

    Returns:
        Where they go; None where there is no GPU.

    Raises:
        UsageError: A device was named that does not exist.
        AppError: The model or its context cannot be loaded anywhere.
    """
    complaints = [plugin.complaint for plugin in load_plugins() if plugin.complaint]
    present = gpus()
    devices = [_named(name, present) for name in options.device_names]
    if not present:
        level = logging.WARNING if options.num_layers else logging.INFO
        logger.log(level, "No GPU is used: %s.", "; ".join(complaints) or "there is none")
        return None
    if options.split_mode == "none" and options.main_gpu >= len(devices or present):
        raise UsageError(
            f"main-gpu is {options.main_gpu}, and there are {len(devices or present)} devices, "
            f"which are counted from 0.",
            hint="See `info --devices`.",
        )
    placement = Placement(options, devices)
    if options.num_layers is None:
        _choose(placement, llama, weights, options, devices or present)
    return placement


def _named(name: str, present: Sequence[Device]) -> Device:
    for device in present:
        if device.name == name:
            return device
    names = ", ".join(sorted(device.name for device in present)) or "none"
    raise UsageError(
        f"There is no device {name}.", hint=f"There is: {names}. See `info --devices`."
    )


def _choose(
    placement: Placement,
    llama: Llama,
    weights: Weights,
    options: OffloadOptions,
    devices: Sequence[Device],
) -> None:
    """Put as many layers on GPUs as fit."""
    # They import the engine, which itself loads models.
    from runtime.engine.offload.dry_run import DryRun, can_measure
    from runtime.engine.offload.fit import fit

    # Of tensors that all devices share, llama.cpp tells no memory.
    if options.split_mode == "tensor" or not can_measure():
        placement.choose(-1)
        return
    reserves = options.reserves(len(devices))
    budgets = {
        device.handle: device.free_bytes - reserve
        for device, reserve in zip(devices, reserves, strict=True)
    }
    with DryRun(llama, weights, options, placement.prepare) as dry_run:
        model = dry_run.model(-1)
        found = fit(
            dry_run.measure,
            budgets,
            num_layers=model.n_layer + 1,
            n_ctx=options.ctx_size
            or min(model.n_ctx_train or MAX_DEFAULT_N_CTX, MAX_DEFAULT_N_CTX),
            can_shorten=not options.ctx_size,
        )
        total = model.n_layer + 1
    placement.choose(found.num_layers, found.n_ctx)
    logger.info("%d of %d layers fit on GPUs.", found.num_layers, total)
