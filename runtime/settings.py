"""Every setting once: its name, flags, type and default, and where its value comes from.

A flag beats the environment (`SOLOFILE_NAME`), which beats `NAME.toml` beside the solofile,
which beats the manifest's defaults. Flags carry llama.cpp's names where it has one.
"""

import argparse
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runtime.errors import UsageError

DEFAULT_PORT = 8080


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run goes by; see `OPTIONS` for the meaning of each."""

    model: str = ""
    ctx_size: int = 0
    threads: int = 0
    threads_batch: int = 0
    batch_size: int = 2048
    ubatch_size: int = 512
    parallel: int = 4
    repack: bool = False
    verbose: bool = False
    host: str = "127.0.0.1"
    port: int | None = None
    browser: bool | None = None
    system_prompt: str = ""
    predict: int = -1
    temp: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int = -1


@dataclass(frozen=True, slots=True)
class Option:
    """One setting on the command line.

    Args:
        name: The field of `Settings`.
        flags: How it is spelled; a boolean's second long flag turns it off.
        group: Which commands have it: `model`, `server` or `sampling`.
        help: What it does.
        metavar: What stands for its value in the help; empty for a boolean.
    """

    name: str
    flags: tuple[str, ...]
    group: str
    help: str
    metavar: str = "N"


OPTIONS = (
    Option("model", ("-m", "--model"), "model", "run this GGUF or solofile instead", "FILE"),
    Option("ctx_size", ("-c", "--ctx-size"), "model", "tokens of context (0: by model and memory)"),
    Option("threads", ("-t", "--threads"), "model", "threads (0: the physical cores)"),
    Option("threads_batch", ("-tb", "--threads-batch"), "model", "threads while reading prompts"),
    Option("batch_size", ("-b", "--batch-size"), "model", "tokens in one batch at most"),
    Option("ubatch_size", ("-ub", "--ubatch-size"), "model", "tokens computed at once at most"),
    Option("parallel", ("-np", "--parallel"), "model", "requests worked on at once"),
    Option(
        "repack", ("--repack", "-nr", "--no-repack"), "model",
        "copy weights into this processor's fastest layout", "",
    ),
    Option("verbose", ("-v", "--verbose"), "model", "log what llama.cpp says, too", ""),
    Option("host", ("--host",), "server", "address to listen on", "ADDRESS"),
    Option("port", ("--port",), "server", f"port (default: {DEFAULT_PORT}, or the next free one)"),
    Option(
        "browser", ("--browser", "--no-browser"), "server",
        "open the chat page (default: when a screen is there)", "",
    ),
    Option(
        "system_prompt", ("-sys", "--system-prompt"), "sampling",
        "system message for conversations without one", "TEXT",
    ),
    Option("predict", ("-n", "--predict", "--n-predict"), "sampling", "tokens to generate at most"),
    Option("temp", ("--temp",), "sampling", "temperature; 0 takes the likeliest token"),
    Option("top_k", ("--top-k",), "sampling", "keep the N likeliest tokens"),
    Option("top_p", ("--top-p",), "sampling", "keep the likeliest tokens up to this mass"),
    Option("min_p", ("--min-p",), "sampling", "drop tokens below this share of the likeliest"),
    Option("repeat_penalty", ("--repeat-penalty",), "sampling", "penalty on recent tokens"),
    Option("seed", ("-s", "--seed"), "sampling", "seed of the random choice (-1: a random one)"),
)  # fmt: skip

_TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def add_options(parser: argparse.ArgumentParser, groups: tuple[str, ...]) -> None:
    """Give a command the options of some groups; absent flags leave no trace."""
    for group in groups:
        section = parser.add_argument_group(f"{group} options")
        for option in OPTIONS:
            if option.group == group:
                _add_option(section, option)


def load_settings(
    flags: Mapping[str, Any], *, manifest_defaults: Mapping[str, Any], solofile: Path | None
) -> Settings:
    """Return the settings after every place that sets some was read.

    Args:
        flags: What the command line gave, by field name; other keys are left alone.
        manifest_defaults: What the solofile was built with.
        solofile: The running file, whose `NAME.toml` may lie beside it.

    Raises:
        UsageError: A place sets an unknown setting, or one to a value of the wrong type.
    """
    values: dict[str, Any] = {}
    values |= _checked(dict(manifest_defaults), "the manifest")
    if solofile:
        values |= _read_toml(settings_file(solofile))
    for name in _TYPES:
        variable = f"SOLOFILE_{name.upper()}"
        if variable in os.environ:
            values |= _checked({name: os.environ[variable]}, variable)
    values |= {name: value for name, value in flags.items() if name in _TYPES}
    return msgspec.convert(values, Settings, strict=False)


def settings_file(solofile: Path) -> Path:
    """Return where settings for a solofile may lie: `NAME.toml` beside it."""
    return solofile.with_name(solofile.name.removesuffix(".exe") + ".toml")


def _add_option(section: Any, option: Option) -> None:
    default = msgspec.structs.fields(Settings)[list(_TYPES).index(option.name)].default
    if not option.metavar:
        off = [flag for flag in option.flags if flag.startswith("--no-") or flag == "-nr"]
        on = [flag for flag in option.flags if flag not in off]
        common = {"dest": option.name, "default": argparse.SUPPRESS}
        section.add_argument(*on, action="store_true", help=option.help, **common)
        if off:
            section.add_argument(*off, action="store_false", help=f"do not {option.help}", **common)
        return
    kind = {int: int, float: float}.get(_TYPES[option.name], str)
    if option.name == "port":
        kind = int
    shown = "" if default in ("", None) or "(" in option.help else f" (default: {default})"
    section.add_argument(
        *option.flags,
        dest=option.name,
        type=kind,
        metavar=option.metavar,
        default=argparse.SUPPRESS,
        help=option.help + shown,
    )


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    return _checked({name.replace("-", "_"): value for name, value in values.items()}, str(path))


def _checked(values: dict[str, Any], place: str) -> dict[str, Any]:
    """Return the values with their types checked, naming the place that sets a wrong one."""
    for name, value in values.items():
        if name not in _TYPES:
            known = ", ".join(sorted(known.replace("_", "-") for known in _TYPES))
            raise UsageError(
                f"{place} sets {name.replace('_', '-')}, which is no setting.",
                hint=f"The settings are {known}.",
            )
        try:
            msgspec.convert(value, _TYPES[name], strict=False)
        except msgspec.ValidationError as error:
            raise UsageError(f"{place} sets {name} to {value!r}: {error}.") from error
    return values
