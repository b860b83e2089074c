"""Models that LM Studio downloaded."""

import json
from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.lmstudio import LmStudioModel, model_folders
from tests.builder.tiny_gguf import write_gguf

MODEL = "acme/Tiny-GGUF"


def add(models: Path) -> Path:
    """Put a model into a folder of models and return its file."""
    (models / MODEL).mkdir(parents=True)
    return write_gguf(models / MODEL / "Tiny-Q8_0.gguf")


@pytest.mark.parametrize("home", [".lmstudio", ".cache/lm-studio"])
def test_the_usual_places(own_home: Path, home: str) -> None:
    """Today's folder and the older one; case does not matter."""
    path = add(own_home / home / "models")
    source = LmStudioModel("Acme/tiny-gguf", "Q8_0")
    assert source.resolve().file_name == "Tiny-Q8_0.gguf"
    fetched = source.fetch()
    assert fetched.files[0].path == path
    assert (fetched.origin.kind, fetched.origin.repository) == ("lmstudio", MODEL)


def test_a_home_elsewhere(own_home: Path, tmp_path: Path) -> None:
    """A pointer in one's home leads to it."""
    (own_home / ".lmstudio-home-pointer").write_text(f"{tmp_path}/lm\n", encoding="utf-8")
    path = add(tmp_path / "lm/models")
    assert LmStudioModel(MODEL).fetch().files[0].path == path


def test_a_folder_that_was_chosen(own_home: Path, tmp_path: Path) -> None:
    """LM Studio's settings name the folder; settings without sense change nothing."""
    path = add(tmp_path / "chosen")
    settings = own_home / ".lmstudio/settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"downloadsFolder": f"{tmp_path}/chosen"}), encoding="utf-8")
    assert LmStudioModel(MODEL).fetch().files[0].path == path
    settings.write_text("{", encoding="utf-8")
    assert model_folders() == {}


def test_what_is_not_there(own_home: Path) -> None:
    """The places that were looked in are told, and names that are near."""
    with pytest.raises(SourceError, match=f"no models of LM Studio's in {own_home}/.lmstudio"):
        LmStudioModel(MODEL).resolve()
    add(own_home / ".lmstudio/models")
    with pytest.raises(SourceError, match="LM Studio has no acme/Tin-GGUF") as caught:
        LmStudioModel("acme/Tin-GGUF").resolve()
    assert caught.value.hint == f"It has {MODEL}."
