"""Fields over fields."""

from pathlib import Path

import pytest

from builder.recipe.layer import make_layer, merged
from runtime.errors import UsageError


def test_the_upper_one_wins() -> None:
    """Fields and lists are replaced, tables key by key; neither layer changes."""
    lower = {"name": "a", "lora": ["x"], "settings": {"temp": 0.5, "seed": 1}, "quantize": "Q8_0"}
    upper = {"lora": ["y"], "settings": {"seed": 2}, "branding": {"title": "t"}, "quantize": ""}
    before = repr((lower, upper))
    assert merged(lower, upper) == {
        "name": "a", "lora": ["y"], "settings": {"temp": 0.5, "seed": 2},
        "branding": {"title": "t"}, "quantize": "",
    }  # fmt: skip
    assert repr((lower, upper)) == before


def test_a_system_prompt_from_a_file(tmp_path: Path) -> None:
    """It is a setting, without the file's last line break; `settings` takes an `@` as it is."""
    (tmp_path / "prompt.txt").write_text("Ahoy!\n\nBe brief.\n", encoding="utf-8")
    layer = make_layer({"system": "@prompt.txt"}, tmp_path)
    assert layer == {"settings": {"system_prompt": "Ahoy!\n\nBe brief."}}
    literal = make_layer({"settings": {"system-prompt": "@you"}}, tmp_path)
    assert literal == {"settings": {"system_prompt": "@you"}}
    (tmp_path / "prompt.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"prompt\.txt is no text in UTF-8"):
        make_layer({"system": "@prompt.txt"}, tmp_path)


def test_a_home_and_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde is the home, wherever the recipe lies, and a slash at the end stays."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    layer = make_layer({"output": "~/models/"}, tmp_path)
    assert layer == {"output": f"{tmp_path}/home/models/"}
