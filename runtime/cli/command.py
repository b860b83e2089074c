"""What every command has: its parser, its settings, and where text goes."""

import argparse
import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec
from msgspec.structs import replace

from runtime.cli.log import set_up_log
from runtime.engine.llama import has_gpu_plugins
from runtime.engine.loading_model import LoadingModel, begin_loading_model
from runtime.engine.weights import LoadOptions
from runtime.errors import UsageError
from runtime.payload import Payload, find_payload, own_path
from runtime.settings.places import load_settings
from runtime.settings.values import Settings, asks_for_gpus

T = TypeVar("T", bound=msgspec.Struct)

# Python's own; a start has a shorter one.
_USUAL_SWITCH_INTERVAL_S = 0.005


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
    """What a command runs with: the model, which is being loaded, and the settings."""

    payload: Payload
    settings: Settings
    model: LoadingModel

    def n_keep(self) -> int | None:
        """Return how many prompt tokens a full context keeps; None does not let it forget."""
        return self.settings.keep if self.settings.context_shift else None

    def max_tokens(self) -> int | None:
        """Return how many tokens the settings allow; None is no limit."""
        return None if self.settings.predict < 0 else self.settings.predict


def program_name() -> str:
    """Return what a user types to start this program from its folder."""
    path = own_path()
    return f"./{path.name}" if path else "python -m runtime"


class Choice(msgspec.Struct, frozen=True):
    """A model that is not loaded yet, and the settings."""

    payload: Payload
    settings: Settings

    def begin_loading(self) -> Context:
        """Begin to load the model; what else a command needs is best imported after this."""
        options = load_options(self.payload, self.settings)
        return Context(
            self.payload, self.settings, begin_loading_model(self.payload.weights, options)
        )


def solofile_named(file: Path | None, purpose: str) -> Path:
    """Return the file that a command is about: the one it names, or this program's own.

    Args:
        file: What the command line names; None for nothing.
        purpose: What for, as in `to verify`, where there is none.

    Raises:
        UsageError: There is none.
    """
    path = file or own_path()
    if path is None or not path.is_file():
        raise UsageError(f"There is no file {path or purpose}.")
    return path


def choose(arguments: argparse.Namespace) -> Choice:
    """Read the settings for a parsed command line, set logging up, and find the model.

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
    return Choice(payload, settings)


def end_start() -> None:
    """Look for garbage from now on, and not in what a start has made, which stays."""
    gc.freeze()
    gc.enable()
    sys.setswitchinterval(_USUAL_SWITCH_INTERVAL_S)


def load_options(payload: Payload, settings: Settings) -> LoadOptions:
    """Return how the weights come into memory: as the settings say, else as suits them."""
    repack = payload.gains_from_repacking if settings.repack is None else settings.repack
    options = LoadOptions(repack=repack, mmap=settings.mmap, mlock=settings.mlock)
    if asks_for_gpus(settings) or has_gpu_plugins():
        # Most starts have neither.
        from runtime.cli.offload_settings import offload_options

        return replace(options, offload=offload_options(settings))
    return options


def options_of(kind: type[T], settings: Settings) -> T:
    """Return options whose fields are settings by the same names."""
    return kind(**{name: getattr(settings, name) for name in kind.__struct_fields__})


def say(text: str) -> None:
    """Print commentary, which goes to stderr so that stdout carries answers alone."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")


def let_go_of_stdout() -> None:
    """Write nothing more to whoever read our output and has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def answer(text: str, *, end: str = "\n") -> None:
    """Print what the user asked for."""
    sys.stdout.write(f"{text}{end}")
    sys.stdout.flush()
