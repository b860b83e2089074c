"""The flags of `build` that were given, as a layer, and the jobs they make of a source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from builder.defaults import parse_defaults
from builder.recipe.check import problem
from builder.recipe.fields import BrandingTable, ModelFields, keys
from builder.recipe.file import is_recipe, read_recipe
from builder.recipe.job import Job, make_jobs
from builder.recipe.layer import Layer, make_layer, merged
from runtime.errors import UsageError

# Flags that may be given again, where a recipe has a list or a table.
_NAMES = {
    "target": "targets", "tensor-type": "tensor-types", "example": "examples", "set": "settings",
}  # fmt: skip
# What concerns the report, and not the solofile.
NOT_IN_RECIPES = {"json"}


def recipe_key(option: click.Option) -> str:
    """Return what recipes call an option."""
    name = next(flag for flag in option.opts if flag.startswith("--")).removeprefix("--")
    return _NAMES.get(name, name)


def flags_layer(command: click.Command, given: Mapping[str, Any]) -> Layer:
    """Return what was given on the command line.

    Args:
        command: `build`.
        given: Its parameters' values by the names of its options.

    Raises:
        SourceError: What should be a source is none.
        UsageError: A value does not fit.
    """
    fields: Layer = {}
    branding: Layer = {}
    for option in command.params:
        if not isinstance(option, click.Option) or option.name not in given:
            continue
        key = recipe_key(option)
        table = branding if key in keys(BrandingTable) else fields
        if key not in NOT_IN_RECIPES:
            table[key] = _plain(key, given[option.name])
    if branding:
        fields["branding"] = branding
    try:
        msgspec.convert(fields, ModelFields)
    except msgspec.ValidationError as error:
        key = str(error).rpartition("$.")[2].rstrip("`").rpartition(".")[2]
        raise UsageError(f"--{key} {problem(error)}.") from error
    return make_layer(fields, Path())


def given_flags(ctx: click.Context, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that stand on the command line."""
    return {
        name: value
        for name, value in options.items()
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def read_jobs(source: str, command: click.Command, given: Mapping[str, Any]) -> list[Job]:
    """Return the jobs that a source, or a recipe, and flags describe; nothing is fetched.

    Args:
        source: As it stands on the command line.
        command: `build`.
        given: Its parameters' values by the names of its options.

    Raises:
        AppError: Something they name is not there, or is not what it should be.
    """
    flags = flags_layer(command, given)
    layers = read_recipe(Path(source)) if is_recipe(source) else [{"source": source}]
    return make_jobs([merged(layer, flags) for layer in layers])


def _plain(key: str, value: Any) -> Any:
    if key == "settings":
        return parse_defaults(value)
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
