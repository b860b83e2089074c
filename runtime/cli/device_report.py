"""What `info --devices` shows: what this machine can compute on, what a start uses, and why not."""

from typing import Any

from runtime import machine
from runtime.cli.offload_settings import offload_options
from runtime.engine.llama import Llama, has_gpu_plugins
from runtime.engine.offload.devices import Device, DeviceKind, devices
from runtime.engine.offload.dry_run import DryRun, can_measure
from runtime.engine.offload.options import OffloadOptions
from runtime.engine.offload.placement import place
from runtime.engine.offload.plugins import load_plugins
from runtime.payload import Payload, own_path
from runtime.settings.places import load_settings

_MIB = 1024 * 1024


def device_rows(payload: Payload) -> list[dict[str, Any]]:
    """Return a row for each device, and one for what keeps GPUs away.

    Args:
        payload: The model that a start would serve, with the settings it would have.

    Raises:
        AppError: The model cannot be loaded, or a setting is unusable.
    """
    defaults = payload.manifest.defaults if payload.manifest else {}
    settings = load_settings({}, manifest_defaults=defaults, solofile=own_path())
    llama = Llama.load()
    options = offload_options(settings)
    if not has_gpu_plugins():
        why = ["no GPU plugin is in this solofile; build it with --gpu vulkan"]
    elif options is None:
        why = ["--device none was asked for"]
    else:
        why = [plugin.complaint for plugin in load_plugins() if plugin.complaint]
    uses = _uses(llama, payload, options) if options else {}
    rows = [_row(device, uses.get(device.handle, "used")) for device in devices()]
    return rows + [{"name": "GPU", "use": f"none: {reason}"} for reason in why]


def device_report(rows: list[dict[str, Any]]) -> str:
    """Return the rows as lines for people."""
    return "\n".join(_line(row) for row in rows)


def _uses(llama: Llama, payload: Payload, options: OffloadOptions) -> dict[int, str]:
    """Say of each GPU what is done with it, by its handle."""
    placement = place(llama, payload.weights, options)
    if placement is None:
        return {}
    if options.split_mode == "tensor" or not can_measure():
        return {device.handle: "used" for device in devices()}
    with DryRun(llama, payload.weights, options, placement.prepare) as dry_run:
        model = dry_run.model(placement.num_layers)
        total = model.n_layer + 1
        n_ctx = placement.n_ctx_max or options.ctx_size or model.n_ctx_train
        needs = dry_run.measure(placement.num_layers, n_ctx)
    count = min(placement.num_layers, total) if placement.num_layers >= 0 else total
    return {
        device.handle: f"used, {needs[device.handle] // _MIB} MiB for {count} of {total} layers "
        f"and {n_ctx} tokens"
        if count and device.handle in needs
        else _why_not(device, count, options)
        for device in devices()
        if device.is_gpu
    }


def _why_not(device: Device, count: int, options: OffloadOptions) -> str:
    if not count and options.num_layers is None:
        return f"not used: too little memory beside the {options.fit_target} MiB that stay free"
    if not count:
        return "no layers, as was asked for; it helps with long prompts"
    if device.kind is DeviceKind.INTEGRATED_GPU and not options.device:
        return "not used: there is a GPU with memory of its own"
    return "not used: the settings leave it out"


def _row(device: Device, use: str) -> dict[str, Any]:
    is_cpu = device.kind is DeviceKind.CPU
    return {
        "name": device.name,
        "description": device.description,
        "kind": device.kind.name.lower(),
        # ggml calls all of the machine's memory free.
        "free_bytes": machine.memory_available_bytes() if is_cpu else device.free_bytes,
        "total_bytes": machine.memory_total_bytes() if is_cpu else device.total_bytes,
        "use": use,
    }


def _line(row: dict[str, Any]) -> str:
    if "description" not in row:
        return f"{row['name']:9} {row['use']}"
    memory = f"{row['free_bytes'] / 2**30:.1f} of {row['total_bytes'] / 2**30:.1f} GiB free"
    return f"{row['name']:9} {row['description']}, {memory}: {row['use']}"
