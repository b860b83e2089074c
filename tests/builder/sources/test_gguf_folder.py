"""Folders with GGUF files."""

from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.gguf_folder import GgufFolder
from builder.sources.parse import parse_source
from tests.builder.tiny_gguf import write_gguf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model in two quantizations, its projector and its papers."""
    for name in ("T-Q4_K_M.gguf", "T-Q8_0.gguf", "mmproj-T-F16.gguf"):
        write_gguf(tmp_path / name)
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    (tmp_path / "LICENSE").write_text("Do as you like.", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("", "T-Q4_K_M.gguf"), (":q8_0", "T-Q8_0.gguf"), (":T-Q8_0.gguf", "T-Q8_0.gguf")],
)
def test_its_model(folder: Path, wanted: str, name: str) -> None:
    """It is chosen as on the hub, and its projector and papers come with it."""
    source = parse_source(f"{folder}{wanted}")
    assert source.resolve().file_name == name
    fetched = source.fetch()
    assert fetched.files[0].path == folder / name
    assert fetched.projector is not None
    assert fetched.projector.fetch().files[0].path == folder / "mmproj-T-F16.gguf"
    assert fetched.card.license_id == "mit"
    assert [one.name for one in fetched.licences] == ["LICENSE"]


def test_several_models(folder: Path) -> None:
    """One must be named, and nobody guesses whose the projector is."""
    write_gguf(folder / "Other-Q4_K_M.gguf")
    with pytest.raises(SourceError, match="holds more than one model") as caught:
        GgufFolder(folder).resolve()
    assert f"as in {folder}:Other-Q4_K_M.gguf" in caught.value.hint
    assert parse_source(f"{folder}:T-Q8_0.gguf").fetch().projector is None


def test_a_folder_without_any(tmp_path: Path) -> None:
    """It is no source."""
    with pytest.raises(SourceError, match="is a folder"):
        parse_source(str(tmp_path))
