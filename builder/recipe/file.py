"""Reading a recipe file."""

import tomllib
from pathlib import Path

from builder.recipe.check import check_recipe
from builder.recipe.layer import Layer, make_layer, merged
from runtime.errors import AppError, UsageError

SUFFIX = ".toml"


def is_recipe(text: str) -> bool:
    """Say whether a SOURCE on the command line means a recipe."""
    return text.endswith(SUFFIX)


def read_recipe(path: Path) -> list[Layer]:
    """Return what a recipe says of each of its models.

    Raises:
        SourceError: What should be a source is none.
        UsageError: There is no such file, or something in it is wrong.
    """
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"The recipe {path} cannot be read: {error.strerror}.",
            hint=f"`init -o {path}` writes one.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    check_recipe(recipe, path.name)
    models = recipe.pop("model", [{}])
    try:
        # Each table is taken by itself, so that a model's system prompt replaces the shared one.
        shared = make_layer(recipe, path.parent)
        layers = [merged(shared, make_layer(model, path.parent)) for model in models]
    except AppError as error:
        error.message = f"In {path.name}, {error.message}"
        raise
    for number, layer in enumerate(layers, 1):
        if not layer.get("source"):
            whose = f"model {number}" if len(layers) > 1 else "the model"
            raise UsageError(
                f"{path.name} does not say where {whose} comes from: it has no source."
            )
        if not layer.get("output"):
            layer["output"] = f"{path.parent / 'dist'}/"
    return layers
