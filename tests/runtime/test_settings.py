"""Tests of where settings come from and which place wins."""

import argparse
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

from runtime.cli.command import Parser
from runtime.engine.attention import AttentionOptions
from runtime.engine.offload.options import OffloadOptions
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.weights import LoadOptions
from runtime.errors import UsageError
from runtime.settings import (
    OPTIONS,
    SAMPLING_SETTINGS,
    Settings,
    add_options,
    load_settings,
    settings_file,
)

# Names no option, so that all are added.
_EVERYTHING = ["--help"]


def _load(
    tmp_path: Path, flags: dict[str, object] | None = None, **defaults: str | int | float
) -> Settings:
    return load_settings(flags or {}, manifest_defaults=defaults, solofile=tmp_path / "model")


def test_each_place_beats_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Manifest, then file, then environment, then flags."""
    assert _load(tmp_path, port=1).port == 1
    (tmp_path / "model.toml").write_text("port = 2\nctx-size = 512\n", encoding="utf-8")
    assert _load(tmp_path, port=1).port == 2
    monkeypatch.setenv("SOLOFILE_PORT", "3")
    assert _load(tmp_path, port=1).port == 3
    settings = _load(tmp_path, {"port": 4, "prompt": "not a setting"}, port=1)
    assert settings.port == 4
    assert settings.ctx_size == 512


def test_the_file_lies_beside_the_solofile() -> None:
    """A version in the name stays, Windows' suffix goes."""
    assert settings_file(Path("/x/Qwen-1.5.Q4_K_M")).name == "Qwen-1.5.Q4_K_M.toml"
    assert settings_file(Path("/x/model.exe")).name == "model.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "colour, which is no setting"),
        ('port = "high"', "port to 'high'"),
        ("port = ", "not valid TOML"),
    ],
)
def test_mistakes_in_the_file_are_said(tmp_path: Path, text: str, message: str) -> None:
    """An unknown name, a wrong type and bad TOML each get a sentence with the file's name."""
    (tmp_path / "model.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        _load(tmp_path)


def test_a_key_is_not_repeated(tmp_path: Path) -> None:
    """Where a key is of the wrong type, the error does not show it."""
    (tmp_path / "model.toml").write_text("api-key = [54321]\n", encoding="utf-8")
    with pytest.raises(UsageError, match="sets api_key to a value") as raised:
        _load(tmp_path)
    assert "54321" not in str(raised.value)


def test_mistakes_in_the_environment_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong value names the variable."""
    monkeypatch.setenv("SOLOFILE_TOP_K", "many")
    with pytest.raises(UsageError, match="SOLOFILE_TOP_K sets top_k to 'many'"):
        _load(tmp_path)


def test_booleans_have_two_flags() -> None:
    """`--repack` turns on, `--no-repack` and llama.cpp's `-nr` turn off, silence says nothing."""
    parser = _parser(_EVERYTHING)
    assert vars(parser.parse_args([])) == {}
    assert vars(parser.parse_args(["--repack", "--no-browser"])) == {
        "repack": True,
        "browser": False,
    }
    assert vars(parser.parse_args(["-nr"])) == {"repack": False}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "-c 512 -t2 -np 4 --port=0 --no-browser",
        "-c512",
        "--temp 0.5 --temp=0.7 -n -1",
        "--lora a --lora b -nr --repack",
        "words --seed 1 -- --more",
        "-vnr",
        "--temperature 1",
        "--tem 1",
        "--port -c 512",
        "--port",
        "--port many",
        "-ct q8_0",
        "-sys -verbose",
    ],
)
def test_parsing_needs_the_named_options_alone(line: str) -> None:
    """What the shortened parser makes of a command line is what the full one does."""
    assert _parsed(_parser(line.split()), line) == _parsed(_parser(_EVERYTHING), line)


def _parser(arguments: list[str]) -> Parser:
    parser = Parser("serve", "", "")
    parser.add_argument("words", nargs="*", default=argparse.SUPPRESS)
    add_options(parser, ("model", "server", "sampling"), arguments)
    return parser


def _parsed(parser: Parser, line: str) -> dict[str, Any] | str:
    try:
        return vars(parser.parse_args(line.split()))
    except UsageError as error:
        return str(error)


def test_every_sampling_setting_is_a_parameter_and_a_flag() -> None:
    """The names on both sides exist, and unset settings say nothing."""
    assert set(SAMPLING_SETTINGS.values()) <= {field.name for field in fields(SamplingParams)}
    assert set(SAMPLING_SETTINGS) <= {option.name for option in OPTIONS}
    assert {getattr(Settings(), name) for name in SAMPLING_SETTINGS} == {None}


def test_options_of_the_engine_are_settings() -> None:
    """Each field of the engine's groups of options is a setting with the same default, or none."""
    for kind in (AttentionOptions, LoadOptions, OffloadOptions):
        defaults = dict(zip(kind.__struct_fields__, kind.__struct_defaults__, strict=True))
        for name in defaults.keys() - {"attention", "offload"}:
            assert getattr(Settings(), name) in (defaults[name], None)
            assert name in {option.name for option in OPTIONS}
