"""The JSON Schema of recipes."""

import json
import tomllib
from typing import Any

import jsonschema_rs
import pytest

from builder.recipe.check import check_recipe
from builder.recipe.schema import SHIPPED, schema_text
from runtime.errors import UsageError


def test_the_shipped_one_is_current() -> None:
    """What editors get is what the builder checks."""
    shipped = SHIPPED.read_text(encoding="utf-8")
    assert shipped == schema_text(), "run `python -m builder.recipe.schema`"


def _is_checked(recipe: dict[str, Any]) -> bool:
    try:
        check_recipe(recipe, "chat.toml")
    except UsageError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ('source = "a"\ntargets = ["b"]\nthreads = 2', True),
        ('[settings]\ntemp = 1\ncache-type-k = "q8_0"\nrepack = true', True),
        ('[branding]\ncolor = "#0A7d6c"\nexamples = ["a"]', True),
        ('[[model]]\nsource = "a"\nsettings.temp = 0.5\n[[model]]', True),
        ("sorce = 1", False),
        ('toolchain = "gcc"', False),
        ("threads = -1", False),
        ('[settings]\ntemp = "hot"', False),
        ('[settings]\napi-key = "a"', False),
        ("[[model]]\nsettings.heat = 1", False),
        ('[[model]]\nbranding.color = "red"', False),
        ("[[model]]\n[[model.model]]", False),
    ],
)
def test_it_says_what_the_builder_says(text: str, is_right: bool) -> None:
    """An editor marks what the builder would refuse."""
    recipe = tomllib.loads(text)
    assert jsonschema_rs.is_valid(json.loads(schema_text()), recipe) is is_right
    assert _is_checked(recipe) is is_right
