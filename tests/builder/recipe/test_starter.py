"""The recipe one begins with."""

import tomllib

import msgspec

from builder.recipe.check import check_recipe
from builder.recipe.fields import BrandingTable, ModelFields, keys
from builder.recipe.starter import starter


def test_it_says_what_it_was_given() -> None:
    """Whatever characters are in it; all else is a comment."""
    prompt = 'You are "Ada" \\ 😀\x7f\n\tBe brief.'
    recipe = tomllib.loads(starter({"source": "hf:acme/tiny", "system": prompt}))
    assert recipe == {
        "source": "hf:acme/tiny", "system": prompt, "settings": {}, "branding": {},
    }  # fmt: skip


def test_every_field_is_shown_as_it_may_be_written() -> None:
    """Without the marks of comments, all of it is a recipe."""
    lines = starter({"source": "hf:acme/tiny"}).splitlines()
    fields = [line.removeprefix("#") for line in lines if not line.startswith(("# ", "#:"))]
    recipe = tomllib.loads("\n".join(fields))
    check_recipe(recipe, "solofile.toml")
    assert [key for key in recipe if key != "model"] == keys(ModelFields)
    assert list(recipe["branding"]) == keys(BrandingTable)
    assert len(recipe["settings"]) > 1
    assert len(recipe["model"]) == 2
    assert msgspec.convert(recipe["branding"], BrandingTable).color
