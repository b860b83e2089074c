"""The settings of GPUs as the engine takes them; imported by starts that have to do with them."""

import functools
import logging

from runtime.cli.command import options_of
from runtime.engine.attention import AttentionOptions
from runtime.engine.llama import has_gpu_plugins
from runtime.engine.offload.options import NO_DEVICE, OffloadOptions
from runtime.errors import UsageError
from runtime.settings.values import Settings

logger = logging.getLogger(__name__)

_HINT = "Build it with --gpu vulkan."


def offload_options(settings: Settings) -> OffloadOptions | None:
    """Return what goes to GPUs; None where none may be used or no plugin is there to use one.

    Raises:
        UsageError: A setting has no sense, or names a device that cannot exist.
    """
    options = OffloadOptions(
        gpu_layers=settings.gpu_layers,
        device=settings.device,
        split_mode=settings.split_mode,
        tensor_split=settings.tensor_split,
        main_gpu=settings.main_gpu,
        fit_target=settings.fit_target,
        ctx_size=settings.ctx_size,
        batch_size=settings.batch_size,
        ubatch_size=settings.ubatch_size,
        parallel=settings.parallel,
        attention=options_of(AttentionOptions, settings),
    )
    if options.device == NO_DEVICE:
        return None
    if has_gpu_plugins():
        return options
    if options.device:
        raise UsageError(
            f"There is no device {options.device}: no GPU plugin is in this solofile.", hint=_HINT
        )
    if options.num_layers:
        _warn_once()
    return None


@functools.cache
def _warn_once() -> None:
    logger.warning("--gpu-layers has no effect: no GPU plugin is in this solofile. %s", _HINT)
