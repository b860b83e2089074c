"""Tests of the adapters that settings name."""

import argparse
from pathlib import Path

import pytest

from runtime.errors import UsageError
from runtime.lora_settings import named_adapters
from runtime.settings.flags import add_options
from runtime.settings.values import Settings


def test_adapters_and_their_scales(tmp_path: Path) -> None:
    """Names stand between commas, quotes keep one in a name, scales follow colons."""
    names = [str(tmp_path / name) for name in ("a.gguf", "b,c.gguf", "d:e.gguf")]
    for name in names:
        Path(name).touch()
    settings = Settings(
        lora=f'{names[0]},"{names[1]}"', lora_scaled=f"{names[2]}:-0.5,{names[0]}:2"
    )
    files = named_adapters(settings)
    assert [(file.name, file.scale) for file in files] == [
        (names[0], 1.0),
        (names[1], 1.0),
        (names[2], -0.5),
        (names[0], 2.0),
    ]
    assert named_adapters(Settings()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(lora="/no/such.gguf"), "There is no adapter /no/such.gguf"),
        (Settings(lora_scaled="a.gguf"), "'a.gguf', which names no scale.*a.*:0.5"),
        (Settings(lora_scaled="a.gguf:big"), "'a.gguf:big', which names no scale"),
    ],
)
def test_mistakes_are_said(settings: Settings, message: str) -> None:
    """A file that is not there and a scale that is no number get one sentence."""
    with pytest.raises(UsageError, match=message):
        named_adapters(settings)


def test_a_flag_may_be_given_again() -> None:
    """Each further `--lora` adds to the ones before."""
    parser = argparse.ArgumentParser()
    arguments = ["--lora", "a", "--lora-scaled", "x:1", "--lora", "b,c"]
    add_options(parser, ("model",), arguments)
    given = parser.parse_args(arguments)
    assert vars(given) == {"lora": "a,b,c", "lora_scaled": "x:1"}
