"""What is wrong in a recipe, told with the key and the nearest one that is known."""

import tomllib

import pytest

from builder.recipe.check import check_recipe
from runtime.errors import UsageError


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ('sorce = "a"', "In chat.toml, sorce is unknown.", "Did you mean source?"),
        ("smoke_test = true", "In chat.toml, smoke_test is unknown.", "Did you mean smoke-test?"),
        ("temp = 1", "In chat.toml, temp is unknown.", "It belongs into [settings]."),
        ('title = "a"', "In chat.toml, title is unknown.", "It belongs into [branding]."),
        (
            '[branding]\nsource = "a"',
            "In chat.toml, branding.source is unknown.",
            "It belongs to the model itself, above the tables.",
        ),
        (
            '[branding]\ncolour = "a"',
            "In chat.toml, branding.colour is unknown.",
            "Did you mean color?",
        ),
        (
            "[settings]\ntemperatur = 1",
            "In chat.toml, settings.temperatur is unknown.",
            "Did you mean temp?",
        ),
        (
            '[settings]\nmodel = "a"',
            "In chat.toml, settings.model is unknown.",
            "It belongs to the model itself, above the tables.",
        ),
        (
            "[[model]]\n[[model]]\nx.y = 1",
            "In chat.toml, x of model 2 is unknown.",
            "Known are accept-license, ",
        ),
        ("source = 1", "In chat.toml, source must be a text, not a whole number.", ""),
        ('targets = "a"', "In chat.toml, targets must be a list, not a text.", ""),
        ("targets = [1]", "In chat.toml, targets[0] must be a text, not a whole number.", ""),
        ("pure = 1", "In chat.toml, pure must be true or false, not a whole number.", ""),
        ("threads = -1", "In chat.toml, threads does not fit: Expected `int` >= 0.", ""),
        ("branding = 1", "In chat.toml, branding must be a table, not a whole number.", ""),
        ("settings = 1", "In chat.toml, settings must be a table, not a whole number.", ""),
        ("model = 1", "In chat.toml, model must be a list, not a whole number.", ""),
        ("model = [1]", "In chat.toml, model 1 must be a table, not a whole number.", ""),
        ('toolchain = "gcc"', "In chat.toml, toolchain does not fit: Invalid enum", ""),
        (
            '[branding]\ncolor = "red"',
            "In chat.toml, branding.color must be a colour as #rrggbb.",
            "",
        ),
        (
            '[settings]\ntemp = "hot"',
            "In chat.toml, settings.temp must be a number, not a text.",
            "",
        ),
        (
            "[[model]]\nsettings.ctx-size = 1.5",
            "In chat.toml, settings.ctx-size of model 1 must be a whole number, not a number.",
            "",
        ),
        (
            '[settings]\napi_key = "sk-1"',
            "In chat.toml, settings.api_key is refused: everyone who has the solofile",
            "Give it at the start",
        ),
    ],
)
def test_what_is_wrong(text: str, sentence: str, hint: str) -> None:
    """The sentence has the file and the key, the hint what was probably meant."""
    with pytest.raises(UsageError) as caught:
        check_recipe(tomllib.loads(text), "chat.toml")
    assert caught.value.message.startswith(sentence)
    assert caught.value.hint.startswith(hint)
    assert bool(hint) == bool(caught.value.hint)


def test_what_is_right() -> None:
    """A setting may have an underscore, and a whole number stands for any."""
    check_recipe(tomllib.loads("settings.top_p = 1\nsettings.cache-type-k = 'q8_0'"), "chat.toml")
