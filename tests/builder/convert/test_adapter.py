"""What can be found wrong with an adapter before the converter starts."""

import json
from pathlib import Path

import pytest

from builder.convert.adapter import base_model, is_adapter, read_adapter
from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from runtime.errors import AppError, DamagedFileError, UnsupportedError
from tests.builder.convert.tiny_checkpoint import write_adapter, write_checkpoint

OPTIONS = ConvertOptions()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole adapter."""
    return write_adapter(tmp_path / "Pirate")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The checkpoint it belongs to."""
    return write_checkpoint(tmp_path / "Tiny")


def test_whole(folder: Path, base: Path) -> None:
    """Its files and the base's configuration count; it becomes float32 unless something is told."""
    item = read_adapter(folder, base, OPTIONS)
    assert [path.name for path in item.files] == [
        "adapter_model.safetensors", "adapter_config.json", "config.json",
    ]  # fmt: skip
    assert (item.name, item.outtype, item.num_elements) == ("Pirate", "f32", 512)
    assert read_adapter(folder, base, ConvertOptions("f16")).outtype == "f16"
    assert is_adapter(folder)
    assert not is_adapter(base)
    assert base_model(folder) == "acme/Tiny"


def test_pickles_need_leave(folder: Path, base: Path) -> None:
    """Weights that are pickles are refused until they are allowed."""
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(UnsupportedError, match=r"Pirate are pickles.*--allow-pickle"):
        read_adapter(folder, base, OPTIONS)
    item = read_adapter(folder, base, ConvertOptions(allows_pickle=True))
    assert item.files[0].name == "adapter_model.bin"


@pytest.mark.parametrize(
    ("config", "error", "sentence"),
    [
        ("{", DamagedFileError, "adapter_config.json is no JSON"),
        (json.dumps({"peft_type": "IA3"}), UnsupportedError, "of the kind IA3, and no LoRA"),
    ],
)
def test_bad_configuration(
    folder: Path, base: Path, config: str, error: type[AppError], sentence: str
) -> None:
    """Only LoRA adapters with a sound configuration are taken."""
    (folder / "adapter_config.json").write_text(config, encoding="utf-8")
    with pytest.raises(error, match=sentence):
        read_adapter(folder, base, OPTIONS)


def test_missing_files(folder: Path, base: Path) -> None:
    """Missing weights and a missing base are told."""
    with pytest.raises(SourceError, match=r"Pirate has no config\.json.*--base"):
        read_adapter(folder, folder, OPTIONS)
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(SourceError, match=r"Pirate has no adapter_model\.safetensors"):
        read_adapter(folder, base, OPTIONS)
