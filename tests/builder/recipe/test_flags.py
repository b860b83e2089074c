"""The flags of `build` and the fields of a recipe: the same things by the same names."""

from pathlib import Path

import click
import pytest

from builder.cli.build import build
from builder.recipe.fields import BrandingTable, ModelFields, keys
from builder.recipe.flags import NOT_IN_RECIPES, flags_layer, recipe_key
from runtime.errors import UsageError

OPTIONS = [option for option in build.params if isinstance(option, click.Option)]
TABLES = {"branding", "prompts"}


def test_every_field_is_a_flag_and_the_reverse() -> None:
    """The source is the command's argument; what only a report needs is in no recipe."""
    flags = {recipe_key(option) for option in OPTIONS} - NOT_IN_RECIPES
    fields = {*keys(ModelFields), *keys(BrandingTable)} - TABLES - {"source"}
    assert flags == fields


def test_what_may_be_given_again_is_a_list() -> None:
    """So a recipe can say all that a command line can."""
    defaults = {**_defaults(ModelFields()), **_defaults(BrandingTable())}
    for option in OPTIONS:
        if (key := recipe_key(option)) not in NOT_IN_RECIPES:
            assert option.multiple == isinstance(defaults[key], list | dict), key


def _defaults(table: ModelFields | BrandingTable) -> dict[str, object]:
    return dict(zip(keys(type(table)), vars_of(table), strict=True))


def vars_of(table: ModelFields | BrandingTable) -> list[object]:
    """Return a table's values in the order of its fields."""
    return [getattr(table, name) for name in table.__struct_fields__]


def test_flags_as_a_layer(tmp_path: Path) -> None:
    """Only what was given is in it, each where recipes have it."""
    icon = tmp_path / "leaf.svg"
    given = {
        "targets": ("linux-x86_64",), "settings": ("temp=0.5",), "system": "Ahoy!",
        "smoke_test": False, "icon": icon, "examples": ("a", "b"), "n_threads": 2,
    }  # fmt: skip
    assert flags_layer(build, given) == {
        "targets": ["linux-x86_64"],
        "settings": {"temp": 0.5, "system_prompt": "Ahoy!"},
        "smoke-test": False,
        "threads": 2,
        "branding": {"icon": str(icon), "examples": ["a", "b"]},
    }


def test_a_value_that_does_not_fit() -> None:
    """It is told with the flag."""
    with pytest.raises(UsageError, match=r"^--color must be a colour as #rrggbb\.$"):
        flags_layer(build, {"color": "red"})
    with pytest.raises(UsageError, match="system: The settings have a system prompt"):
        flags_layer(build, {"system": "a", "settings": ("system-prompt=b",)})
