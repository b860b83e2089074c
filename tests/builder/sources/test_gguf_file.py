"""GGUF files on this machine."""

from pathlib import Path

import pytest

from builder.errors import SourceError
from builder.sources.gguf_file import GgufFile, part_names
from tests.builder.tiny_gguf import write_gguf, write_split_gguf


def test_a_single_file(tmp_path: Path) -> None:
    """A file is used where it lies, and its origin keeps no path of this machine."""
    path = write_gguf(tmp_path / "tiny.gguf")
    source = GgufFile(path)
    assert source.resolve().file_name == "tiny.gguf"
    fetched = source.fetch()
    assert [(file.path, file.name) for file in fetched.files] == [(path, "tiny.gguf")]
    assert fetched.origin.kind == "file"
    assert fetched.origin.repository == ""


@pytest.mark.parametrize("number", [0, 1, 2])
def test_any_part_leads_to_all(tmp_path: Path, number: int) -> None:
    """Whichever part is named, all are found, in order."""
    parts = write_split_gguf(tmp_path)
    assert [file.path for file in GgufFile(parts[number]).fetch().files] == parts


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        ([1], r"and tiny-00002-of-00003\.gguf is not beside it"),
        ([0, 2], r"and tiny-00001-of-00003\.gguf, tiny-00003-of-00003\.gguf are not beside it"),
    ],
)
def test_a_missing_part_is_named(tmp_path: Path, lost: list[int], sentence: str) -> None:
    """Every part that is not there is named."""
    parts = write_split_gguf(tmp_path)
    for number in lost:
        parts[number].unlink()
    (left, *_) = [part for part in parts if part.exists()]
    with pytest.raises(SourceError, match=sentence):
        GgufFile(left).resolve()


def test_something_else_is_told(tmp_path: Path) -> None:
    """A file in another format is no GGUF, whatever it is called."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(SourceError, match="is not a GGUF file"):
        GgufFile(path).resolve()


@pytest.mark.parametrize("name", ["tiny.gguf.LICENSE", "tiny.LICENCE"])
def test_its_licence_comes_with_it(tmp_path: Path, name: str) -> None:
    """A licence text named for the model is carried; one for something else is not."""
    path = write_gguf(tmp_path / "tiny.gguf")
    (tmp_path / name).write_bytes(b"Do as you like.\n")
    (tmp_path / "LICENSE").write_bytes(b"Of something else.\n")
    (licence,) = GgufFile(path).fetch().licences
    assert (licence.name, licence.text) == (name, b"Do as you like.\n")


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("a.gguf", ["a.gguf"]),
        ("a-00002-of-00002.gguf", ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"]),
        ("a-2-of-2.gguf", ["a-2-of-2.gguf"]),
    ],
)
def test_part_names(name: str, names: list[str]) -> None:
    """Parts are numbered with five digits, as llama.cpp's splitter does."""
    assert part_names(name) == names
