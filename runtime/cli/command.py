"""What every command has: its parser, its settings, and where text goes."""

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec.structs import replace

from runtime.cli.log import set_up_log
from runtime.engine.adapters import AdapterFile
from runtime.engine.attention import AttentionOptions
from runtime.engine.loading import EngineOptions
from runtime.engine.model import LoadOptions, Weights
from runtime.engine.pooling import parse_pooling
from runtime.engine.prompt_cache import PromptCacheOptions
from runtime.engine.sampling.params import SamplingParams, sampler_names
from runtime.engine.speculation import SpeculationOptions
from runtime.errors import UsageError
from runtime.lora_settings import named_adapters
from runtime.payload import Payload, find_payload, own_path
from runtime.settings import SAMPLING_SETTINGS, Settings, load_settings

T = TypeVar("T", bound=msgspec.Struct)
MIB = 1024 * 1024


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are our errors."""

    def __init__(self, name: str, summary: str, examples: str) -> None:
        program = program_name()
        super().__init__(
            prog=f"{program} {name}".strip(),
            description=summary,
            epilog=f"examples:\n{examples.replace('MODEL', program)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the command line as one sentence."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", hint=f"See {self.prog} --help.")


class Context(msgspec.Struct, frozen=True):
    """What a command runs with: the model and the settings."""

    payload: Payload
    settings: Settings

    def engine_options(self) -> EngineOptions:
        """Return the settings as the engine takes them.

        Raises:
            UsageError: A setting has no sense, alone or with another.
        """
        settings = self.settings
        return EngineOptions(
            weights=self.payload.weights,
            n_ctx=settings.ctx_size,
            n_batch=settings.batch_size,
            n_ubatch=settings.ubatch_size,
            max_running=settings.parallel,
            max_queue=settings.max_queue,
            n_threads=settings.threads,
            n_threads_batch=settings.threads_batch,
            loading=self._loading(),
            attention=_options(AttentionOptions, settings),
            adapters=self._adapters(),
            speculation=_options(SpeculationOptions, settings),
            draft=self._draft(),
            prompt_cache=self._prompt_cache(),
            pooling=parse_pooling(settings.pooling),
        )

    def _loading(self) -> LoadOptions:
        options: LoadOptions = _options(LoadOptions, self.settings)
        if self.settings.repack is None:
            return replace(options, repack=self.payload.gains_from_repacking)
        return options

    def _prompt_cache(self) -> PromptCacheOptions | None:
        if not self.settings.prompt_cache:
            return None
        if self.settings.prompt_cache_limit <= 0:
            raise UsageError("--prompt-cache-limit must be above 0.", hint="It counts MiB.")
        folder = Path(self.settings.prompt_cache)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"--prompt-cache cannot use {folder}: {error.strerror}.", hint="Name a folder."
            ) from error
        return PromptCacheOptions(
            folder, self.settings.prompt_cache_limit * MIB, self.payload.weights_digest()
        )

    def _draft(self) -> Weights | None:
        """Return the draft model that the settings name, or the one inside the solofile."""
        name = self.settings.spec_draft_model
        return find_payload(Path(name)).weights if name else self.payload.draft

    def _adapters(self) -> tuple[AdapterFile, ...]:
        """Return the adapters inside the solofile, and then those that the settings name."""
        files = [*self.payload.adapters, *named_adapters(self.settings)]
        if self.settings.lora_init_without_apply:
            files = [replace(file, scale=0.0) for file in files]
        return tuple(files)

    def sampling(self) -> dict[str, Any]:
        """Return what the settings ask for, by field of `SamplingParams`.

        Raises:
            RequestError: A value is out of its range.
        """
        given = {name: getattr(self.settings, name) for name in SAMPLING_SETTINGS}
        asked = {SAMPLING_SETTINGS[name]: given[name] for name in given if given[name] is not None}
        if "samplers" in asked:
            asked["samplers"] = sampler_names(asked["samplers"])
        if self.settings.seed >= 0:
            asked["seed"] = self.settings.seed
        SamplingParams(**asked)
        return asked

    def n_keep(self) -> int | None:
        """Return how many prompt tokens a full context keeps; None does not let it forget."""
        return self.settings.keep if self.settings.context_shift else None

    def max_tokens(self) -> int | None:
        """Return how many tokens the settings allow; None is no limit."""
        return None if self.settings.predict < 0 else self.settings.predict


def _options(kind: type[T], settings: Settings) -> T:
    """Return options whose fields are settings by the same names."""
    return kind(**{name: getattr(settings, name) for name in kind.__struct_fields__})


def program_name() -> str:
    """Return what a user types to start this program from its folder."""
    path = own_path()
    return f"./{path.name}" if path else "python -m runtime"


def open_context(arguments: argparse.Namespace) -> Context:
    """Find the model and read the settings for a parsed command line, and set logging up.

    Raises:
        AppError: The model or a setting is unusable.
    """
    flags = vars(arguments)
    environment = load_settings(flags, manifest_defaults={}, solofile=own_path())
    payload = find_payload(Path(environment.model) if environment.model else None)
    settings = load_settings(
        flags,
        manifest_defaults=payload.manifest.defaults if payload.manifest else {},
        solofile=own_path(),
    )
    set_up_log(settings)
    return Context(payload, settings)


def say(text: str) -> None:
    """Print commentary, which goes to stderr so that stdout carries answers alone."""
    sys.stderr.write(f"{text}\n")


def answer(text: str, *, end: str = "\n") -> None:
    """Print what the user asked for."""
    sys.stdout.write(f"{text}{end}")
    sys.stdout.flush()
