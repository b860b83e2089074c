"""What can be found wrong with a checkpoint before the converter starts."""

import json
from pathlib import Path

import pytest

from builder.convert.checkpoint import checkpoint_names, is_checkpoint, read_checkpoint
from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from runtime.errors import AppError, DamagedFileError, UnsupportedError
from tests.builder.convert.tiny_checkpoint import write_checkpoint

OPTIONS = ConvertOptions()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole checkpoint."""
    return write_checkpoint(tmp_path / "Tiny")


def test_whole(folder: Path) -> None:
    """All files that the result depends on count, and nothing else in the folder."""
    for name in ("README.md", "model.gguf", "pytorch_model.bin", ".gitattributes", "photo.png"):
        (folder / name).write_bytes(b"")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text("{}", encoding="utf-8")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"")
    item = read_checkpoint(folder, OPTIONS)
    assert [path.relative_to(folder).as_posix() for path in item.files] == [
        "model.safetensors", "1_Pooling/config.json", "README.md", "config.json", "tokenizer.json",
    ]  # fmt: skip
    assert (item.name, item.architecture, item.num_elements) == ("Tiny", "LlamaForCausalLM", 32)
    assert (item.outtype, item.flags) == ("auto", [])
    assert read_checkpoint(folder, OPTIONS, name="Other").name == "Other"


def test_parts(folder: Path) -> None:
    """All parts that the index lists are the weights; one that is missing is named."""
    parts = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    (folder / "model.safetensors").rename(folder / parts[0])
    index = {"weight_map": {"a": parts[0], "b": parts[1]}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(SourceError, match=rf"Tiny lacks {parts[1]}, which model\.safe"):
        read_checkpoint(folder, OPTIONS)
    (folder / parts[1]).write_bytes((folder / parts[0]).read_bytes())
    item = read_checkpoint(folder, OPTIONS)
    assert [path.name for path in item.files[:2]] == parts
    assert item.num_elements == 64


def test_pickles_need_leave(folder: Path) -> None:
    """Weights that are pickles are refused until they are allowed."""
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UnsupportedError, match=r"are pickles.*can run code.*--allow-pickle"):
        read_checkpoint(folder, OPTIONS)
    item = read_checkpoint(folder, ConvertOptions(allows_pickle=True))
    assert item.files[0].name == "pytorch_model.bin"


def test_a_projector_needs_no_tokenizer(folder: Path) -> None:
    """Only a model is refused without one."""
    (folder / "tokenizer.json").unlink()
    item = read_checkpoint(folder, ConvertOptions(is_mmproj=True))
    assert item.flags == ["--mmproj"]


@pytest.mark.parametrize(
    ("name", "content", "error", "sentence"),
    [
        ("config.json", None, SourceError, "Tiny has no config.json"),
        ("tokenizer.json", None, SourceError, "Tiny has no tokenizer"),
        ("model.safetensors", None, SourceError, "Tiny holds no weights"),
        ("config.json", "{", DamagedFileError, "config.json is no JSON"),
        ("config.json", "[]", DamagedFileError, "config.json holds no object"),
        ("model.safetensors", "<html>", DamagedFileError, "is no safetensors file"),
        ("model.safetensors.index.json", "{}", DamagedFileError, "tells of no weights"),
    ],
)
def test_what_is_wrong(
    folder: Path, name: str, content: str | None, error: type[AppError], sentence: str
) -> None:
    """Whatever is missing or damaged is named."""
    (folder / name).unlink(missing_ok=True)
    if content is not None:
        (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(error, match=sentence):
        read_checkpoint(folder, OPTIONS)


@pytest.mark.parametrize(
    ("names", "is_one"),
    [
        (["config.json"], True),
        (["model-00001-of-00002.safetensors"], True),
        (["pytorch_model.bin"], True),
        (["model.gguf", "README.md"], False),
        ([], False),
    ],
)
def test_is_checkpoint(tmp_path: Path, names: list[str], is_one: bool) -> None:
    """A folder is told by its files."""
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert is_checkpoint(tmp_path) == is_one


def test_names_in_a_repository() -> None:
    """Of a repository, safetensors and small files are taken; pickles only in their absence."""
    small = ["config.json", "tokenizer.json"]
    other = ["pytorch_model.bin", "tf_model.h5", "original/consolidated.00.pth", ".gitattributes"]
    assert checkpoint_names([*small, *other, "model.safetensors"]) == ["model.safetensors", *small]
    assert checkpoint_names([*small, *other]) == ["pytorch_model.bin", *small]
    assert checkpoint_names(["adapter_config.json", "adapter_model.safetensors"]) == [
        "adapter_model.safetensors", "adapter_config.json",
    ]  # fmt: skip
    assert checkpoint_names(small) == []
