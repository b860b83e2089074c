"""Tests of where settings come from and which place wins."""

from pathlib import Path

import pytest

from runtime.errors import UsageError
from runtime.settings.places import load_settings, settings_file
from runtime.settings.values import Settings


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
        ('port = "high"', r"port to 'high': Expected `int \| null`, got `str`\.$"),
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
