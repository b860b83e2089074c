"""The settings as the engine takes them; imported while the weights are brought into memory."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from runtime.cli.command import Context, load_options, options_of
from runtime.engine.adapters import AdapterFile
from runtime.engine.attention import AttentionOptions
from runtime.engine.engine import Engine
from runtime.engine.loading import EngineOptions
from runtime.engine.pooling import parse_pooling
from runtime.engine.prompt_cache import PromptCacheOptions
from runtime.engine.sampling.params import SamplingParams, sampler_names
from runtime.engine.speculation import SpeculationOptions
from runtime.engine.weights import Weights
from runtime.errors import UsageError
from runtime.lora_settings import named_adapters
from runtime.payload import Payload, find_payload
from runtime.settings.values import SAMPLING_SETTINGS, Settings

MIB = 1024 * 1024


def start_engine(context: Context) -> Engine:
    """Start the engine on the model that is being loaded.

    Raises:
        UsageError: A setting has no sense, alone or with another.
    """
    return Engine.start(engine_options(context.payload, context.settings), context.model)


def engine_options(payload: Payload, settings: Settings) -> EngineOptions:
    """Return what the engine is to do with a model.

    Raises:
        UsageError: A setting has no sense, alone or with another.
    """
    return EngineOptions(
        weights=payload.weights,
        n_ctx=settings.ctx_size,
        n_batch=settings.batch_size,
        n_ubatch=settings.ubatch_size,
        max_running=settings.parallel,
        max_queue=settings.max_queue,
        n_threads=settings.threads,
        n_threads_batch=settings.threads_batch,
        loading=load_options(payload, settings),
        attention=options_of(AttentionOptions, settings),
        adapters=_adapters(payload, settings),
        speculation=options_of(SpeculationOptions, settings),
        draft=_draft(payload, settings),
        projector=_projector(payload, settings),
        prompt_cache=_prompt_cache(payload, settings),
        pooling=parse_pooling(settings.pooling),
    )


def sampling(settings: Settings) -> dict[str, Any]:
    """Return what the settings ask for, by field of `SamplingParams`.

    Raises:
        RequestError: A value is out of its range.
    """
    given = {name: getattr(settings, name) for name in SAMPLING_SETTINGS}
    asked = {SAMPLING_SETTINGS[name]: given[name] for name in given if given[name] is not None}
    if "samplers" in asked:
        asked["samplers"] = sampler_names(asked["samplers"])
    if settings.seed >= 0:
        asked["seed"] = settings.seed
    SamplingParams(**asked)
    return asked


def _prompt_cache(payload: Payload, settings: Settings) -> PromptCacheOptions | None:
    if not settings.prompt_cache:
        if not payload.prompts:
            return None
        return PromptCacheOptions(None, 0, payload.weights_digest(), payload.prompts)
    if settings.prompt_cache_limit <= 0:
        raise UsageError("--prompt-cache-limit must be above 0.", hint="It counts MiB.")
    folder = Path(settings.prompt_cache)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--prompt-cache cannot use {folder}: {error.strerror}.", hint="Name a folder."
        ) from error
    return PromptCacheOptions(
        folder, settings.prompt_cache_limit * MIB, payload.weights_digest(), payload.prompts
    )


def _draft(payload: Payload, settings: Settings) -> Weights | None:
    """Return the draft model that the settings name, or the one inside the solofile."""
    name = settings.spec_draft_model
    return find_payload(Path(name)).weights if name else payload.draft


def _projector(payload: Payload, settings: Settings) -> Weights | None:
    """Return the projector that the settings name, or the one inside the solofile."""
    return find_payload(Path(settings.mmproj)).weights if settings.mmproj else payload.projector


def _adapters(payload: Payload, settings: Settings) -> tuple[AdapterFile, ...]:
    """Return the adapters inside the solofile, and then those that the settings name."""
    files = [*payload.adapters, *named_adapters(settings)]
    if settings.lora_init_without_apply:
        files = [replace(file, scale=0.0) for file in files]
    return tuple(files)
