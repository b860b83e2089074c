"""What of the settings the sandbox has to know."""

import argparse
from pathlib import Path

from runtime.cli.command import Choice, Context, choose
from runtime.engine.llama import has_gpu_plugins, library_folder
from runtime.payload import find_payload
from runtime.sandbox.reach import Reach
from runtime.sandbox.sandbox import Sandbox, enter
from runtime.settings.values import Settings

_NO_DEVICE = "none"


def open_confined(
    arguments: argparse.Namespace, *, names_files: bool = False
) -> tuple[Context, Sandbox]:
    """Read a command's settings, give up what it does not need, and begin to load the model.

    Args:
        arguments: The parsed command line.
        names_files: Whether people name files while it runs.

    Raises:
        AppError: The model or a setting is unusable, or the sandbox is.
    """
    choice = choose(arguments)
    sandbox = enter_sandbox(choice, names_files=names_files)
    return choice.begin_loading(), sandbox


def enter_sandbox(
    choice: Choice, history: tuple[Path, ...] = (), *, names_files: bool = False
) -> Sandbox:
    """Give up what answering by a model does not need.

    Args:
        choice: Which one, and how.
        history: The files that chats are kept in.
        names_files: Whether people name files while it runs; then all may be opened.

    Raises:
        UsageError: A setting names a file that is not there, or the mode is unknown.
        UnsupportedError: All was asked for, and this system cannot.
    """
    settings = choice.settings
    uses_gpus = settings.device != _NO_DEVICE and has_gpu_plugins()
    if names_files:
        return enter(settings.sandbox, None, uses_gpus=uses_gpus)
    reads = [*_model_files(choice), *_other_files(settings), str(library_folder())]
    folders = (settings.prompt_cache,) if settings.prompt_cache else ()
    for folder in folders:
        _make(Path(folder))
    reach = Reach(tuple(reads), tuple(map(str, history)), folders)
    return enter(settings.sandbox, reach, uses_gpus=uses_gpus)


def _model_files(choice: Choice) -> list[str]:
    payload, settings = choice.payload, choice.settings
    paths = [payload.path, payload.weights.path]
    paths += [file.path for file in payload.adapters]
    if settings.lora or settings.lora_scaled:
        # Few servers have any, and every start would wait for it.
        from runtime.lora_settings import named_adapters

        paths += [file.path for file in named_adapters(settings)]
    for name in filter(None, (settings.spec_draft_model, settings.mmproj)):
        other = find_payload(Path(name))
        paths += [other.path, other.weights.path]
    return [str(path) for path in paths]


def _other_files(settings: Settings) -> list[str]:
    named = [
        settings.api_key_file,
        settings.ssl_cert_file,
        settings.ssl_key_file,
        settings.chat_template_file,
    ]
    return [name for name in named if name]


def _make(folder: Path) -> None:
    """Make a folder; where that fails, whoever uses it says so."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
