"""Recipes as they are read: what they say of each model, and what is refused."""

from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.recipe.file import is_recipe, read_recipe
from builder.recipe.layer import Layer
from runtime.errors import UsageError
from tests.builder.tiny_gguf import write_gguf


def read(folder: Path, text: str) -> list[Layer]:
    """Return what a recipe in a folder says."""
    path = folder / "chat.toml"
    path.write_text(text, encoding="utf-8")
    return read_recipe(path)


def test_what_is_a_recipe() -> None:
    """Its name ends in .toml."""
    assert is_recipe("folder/chat.toml")
    assert not is_recipe("model.gguf")


def test_paths_are_relative_to_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the builder runs, and even if a file of that name lies there."""
    (tmp_path / "elsewhere" / "acme").mkdir(parents=True)
    write_gguf(tmp_path / "model.gguf")
    write_gguf(tmp_path / "elsewhere" / "acme" / "tiny")
    (tmp_path / "prompt.txt").write_text("Ahoy!\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")
    text = """
        source = "model.gguf"
        output = "out/"
        lora = ["acme/tiny", "ollama:pirate"]
        draft = "model.gguf"
        imatrix = "imatrix.gguf"
        system = "@prompt.txt"
        branding.icon = "icons/leaf.svg"
    """
    assert read(tmp_path, text) == [
        {
            "source": str(tmp_path / "model.gguf"),
            "output": f"{tmp_path}/out/",
            "lora": ["hf:acme/tiny", "ollama:pirate"],
            "draft": str(tmp_path / "model.gguf"),
            "imatrix": str(tmp_path / "imatrix.gguf"),
            "settings": {"system_prompt": "Ahoy!"},
            "branding": {"icon": str(tmp_path / "icons" / "leaf.svg")},
        }
    ]


def test_several_models(tmp_path: Path) -> None:
    """Each has what is shared, but for what it says itself; settings and branding mingle."""
    text = """
        source = "hf:acme/tiny"
        output = "/out"
        system = "You are a pirate."
        [settings]
        temp = 0.5
        ctx-size = 512
        [branding]
        title = "Pirate"
        [[model]]
        quantize = "Q8_0"
        [[model]]
        source = "hf:acme/large"
        system = "You are a parrot."
        settings.ctx_size = 1024
        branding.color = "#123456"
    """
    first, second = read(tmp_path, text)
    settings = {"temp": 0.5, "ctx_size": 512, "system_prompt": "You are a pirate."}
    assert first == {
        "source": "hf:acme/tiny", "output": "/out", "quantize": "Q8_0", "settings": settings,
        "branding": {"title": "Pirate"},
    }  # fmt: skip
    assert second == {
        "source": "hf:acme/large", "output": "/out",
        "settings": settings | {"system_prompt": "You are a parrot.", "ctx_size": 1024},
        "branding": {"title": "Pirate", "color": "#123456"},
    }  # fmt: skip


def test_by_default_it_lies_in_dist_beside_the_recipe(tmp_path: Path) -> None:
    """As everything else that the recipe names."""
    for output in ("", 'output = "out"\n[[model]]\noutput = ""'):
        (layer,) = read(tmp_path, f'source = "acme/tiny"\n{output}')
        assert layer["output"] == f"{tmp_path}/dist/"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not say where the model comes from: it has no source"),
        ('[[model]]\nsource = "acme/a"\n[[model]]\nname = "b"', "where model 2 comes from"),
        ("source = x", r"chat.toml is not valid TOML: .*line 1"),
        ('system = "@gone.txt"', "In chat.toml, system: The file .*gone.txt cannot be read"),
        (
            'system = "a"\nsettings.system-prompt = "b"',
            "In chat.toml, system: The settings have a system prompt, too",
        ),
    ],
)
def test_what_makes_no_recipe(tmp_path: Path, text: str, told: str) -> None:
    """Each is one sentence."""
    with pytest.raises(UsageError, match=told):
        read(tmp_path, text)


def test_sources_and_files_that_are_not_there(tmp_path: Path) -> None:
    """A model or recipe that is missing is told, and how a recipe is begun."""
    with pytest.raises(SourceError, match=r"In chat.toml, source: There is no file gone\.gguf"):
        read(tmp_path, 'source = "gone.gguf"')
    with pytest.raises(UsageError, match="cannot be read") as caught:
        read_recipe(tmp_path / "none.toml")
    assert caught.value.hint == f"`init -o {tmp_path / 'none.toml'}` writes one."
