"""Baking: prompts in, their states in the cache out."""

import hashlib
from pathlib import Path

import msgspec
from msgspec.structs import replace

from builder.bake.library import library_sha256
from builder.bake.prompt import BakeJob, BakeOptions, file_name
from builder.cache.items import made_once
from builder.child import run_chunks
from builder.files import atomic_folder
from builder.kit.kit import Kit
from builder.native.llamacpp import SDIST_SHA256, expose_binding
from builder.sources.source import ModelFile
from runtime.errors import UsageError
from runtime.manifest import Prompt, SettingValue
from runtime.user_folders import user_cache_dir

_PROCESS = "builder.bake.process"
_MIB = 1024 * 1024


def bake(
    options: BakeOptions,
    model: ModelFile,
    sha256: str,
    settings: dict[str, SettingValue],
    kit: Kit,
    *,
    has_adapters: bool,
) -> list[Path]:
    """Compute prompts for a solofile, in the cache, which knows them by all that they depend on.

    Args:
        options: Which ones.
        model: The weights.
        sha256: Their digest, in hex.
        settings: The settings that are built in.
        kit: The runtime that is to read them.
        has_adapters: Whether LoRA adapters are embedded.

    Returns:
        A file for each, the system prompt's first.

    Raises:
        DiskError: The cache is full or not writable.
        ChildFailedError: The model cannot be loaded, its memory cannot be saved, or a prompt is too
            short or does not fit; the exit code says which it was.
        UsageError: There is nothing to bake, or the model changes with its adapters.
    """
    prompts = _prompts(options, settings)
    if has_adapters or settings.get("lora") or settings.get("lora_scaled"):
        raise UsageError(
            "Prompts cannot be baked for a model with LoRA adapters: each request may scale them.",
            hint="Leave out the adapters, or merge them into the model.",
        )
    library = library_sha256(kit)
    job = BakeJob(
        weights=model.data.weights(),
        weights_sha256=sha256,
        library_sha256=library,
        settings=settings,
        prompts=prompts,
        limit_bytes=options.limit_mib * _MIB,
        folder=Path(),
    )
    content = [SDIST_SHA256, sha256, library, msgspec.json.encode([settings, prompts]).decode()]
    key = hashlib.sha256("\n".join([*content, str(options.limit_mib)]).encode()).hexdigest()
    folder = user_cache_dir() / "baked" / key

    def make(_lock: int) -> None:
        with atomic_folder(folder) as part:
            _run(replace(job, folder=part.absolute()))

    made_once(folder, make)
    return [folder / file_name(number) for number in range(1, len(prompts) + 1)]


def _prompts(options: BakeOptions, settings: dict[str, SettingValue]) -> list[Prompt]:
    if not options.has_system:
        return options.prompts
    system = str(settings.get("system_prompt", ""))
    if not system:
        raise UsageError("There is no system prompt to bake.", hint="Give one by --system.")
    return [Prompt(system), *options.prompts]


def _run(job: BakeJob) -> None:
    expose_binding()
    for _ in run_chunks(_PROCESS, job, label="Baking prompts", what="Baking failed"):
        pass
