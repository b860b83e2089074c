"""A repository's files as another program keeps them."""

from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.local_repository import LocalRepository
from runtime.manifest import Origin
from tests.builder.tiny_gguf import write_gguf


def repository(folder: Path, *names: str) -> LocalRepository:
    """Return one with files of these names."""
    files = {name: write_gguf(folder / name) for name in names}
    return LocalRepository("lmstudio:a/b", files, Origin(kind="lmstudio", files=[]))


def test_a_model_is_chosen_as_on_the_hub(tmp_path: Path) -> None:
    """By quantization or name, and else the best default; the projector goes with it."""
    found = repository(tmp_path, "T-Q4_K_M.gguf", "T-Q8_0.gguf", "mmproj-T-F32.gguf")
    assert found.resolve("").label == f"lmstudio:a/b:T-Q4_K_M.gguf at {tmp_path}/T-Q4_K_M.gguf"
    fetched = found.fetch("q8_0")
    assert [(file.path, file.name) for file in fetched.files] == [
        (tmp_path / "T-Q8_0.gguf", "T-Q8_0.gguf")
    ]
    assert fetched.projector is not None
    assert fetched.projector.fetch().files[0].path == tmp_path / "mmproj-T-F32.gguf"
    with pytest.raises(SourceError, match=r"lmstudio:a/b holds no Q2_K\.") as caught:
        found.resolve("Q2_K")
    assert caught.value.hint == "There are Q4_K_M, Q8_0."


def test_several_models(tmp_path: Path) -> None:
    """Where the default is not clear, the hint names one of them."""
    with pytest.raises(SourceError, match="holds more than one model") as caught:
        repository(tmp_path, "A-Q8_0.gguf", "B-Q8_0.gguf").resolve("")
    assert "as in lmstudio:a/b:A-Q8_0.gguf" in caught.value.hint
