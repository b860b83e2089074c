"""The fields of a recipe, and the page that tells of them."""

import re
import typing
from pathlib import Path

import click
import msgspec
import pytest

from builder.cli.build import build
from builder.defaults import NOT_BUILT_IN
from builder.recipe.fields import BrandingTable, ModelFields, PromptTable, SettingsTable, keys
from builder.recipe.flags import recipe_key
from runtime.settings.values import Settings

PAGE = Path(__file__).parents[3] / "docs" / "recipe.md"
FLAGS = {
    recipe_key(option): f"`{' / '.join([*option.opts[-1:], *option.secondary_opts])}`"
    for option in build.params
    if isinstance(option, click.Option)
}
_PLACES = {"source": "SOURCE", "branding": "below", "prompts": "below"}
WORDS = {str: "text", int: "whole number", bool: "true or false", list[str]: "list of texts"}


def row(field: msgspec.structs.FieldInfo) -> str:
    """Return what the page says of a field."""
    kind, meta = field.type.__origin__, field.type.__metadata__[0]
    choices = " or ".join(f"`{choice}`" for choice in typing.get_args(kind))
    word = WORDS.get(kind) or (choices if typing.get_origin(kind) is typing.Literal else "table")
    flag = _PLACES.get(field.name) or FLAGS[field.encode_name]
    return f"| `{field.encode_name}` | {word} | {flag} | {meta.description} |"


@pytest.mark.parametrize("table", [ModelFields, BrandingTable])
def test_the_page_tells_of_every_field(table: type[msgspec.Struct]) -> None:
    """Each has a row with its type, flag and meaning, in the order of the fields."""
    rows = [row(field) for field in msgspec.structs.fields(table)]
    assert "\n".join(rows) + "\n\n" in PAGE.read_text(encoding="utf-8")


def test_the_page_tells_of_no_other_field() -> None:
    """What is gone is not told of."""
    told = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == [*keys(ModelFields), *keys(PromptTable), *keys(BrandingTable)]


def test_every_setting_that_can_be_built_in() -> None:
    """It has the name that its flag has."""
    names = {field.name for field in msgspec.structs.fields(Settings)} - NOT_BUILT_IN
    assert set(keys(SettingsTable)) == {name.replace("_", "-") for name in names}
