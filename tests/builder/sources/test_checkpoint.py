"""Checkpoints and adapters as sources, in folders and on a small hub."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from builder.fits import fitting
from builder.gguf.header import read_header
from builder.inspect import inspect_source
from builder.sources.checkpoint import CheckpointFolder
from builder.sources.hub import HubModel
from builder.sources.parse import parse_source
from runtime.errors import ResourceError, UnsupportedError
from tests.builder.convert.tiny_checkpoint import write_adapter, write_checkpoint
from tests.builder.fake_hub import COMMIT, FakeHub, Repository

NAME = "acme/Tiny"
CARD = b"---\nlicense: apache-2.0\nbase_model: acme/Big\n---\n# Tiny\n"


@pytest.fixture
def folder(tiny_checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    """A small real checkpoint with a card and a licence."""
    folder = tmp_path / "Tiny"
    shutil.copytree(tiny_checkpoints["llama"], folder)
    (folder / "README.md").write_bytes(CARD)
    (folder / "LICENSE").write_bytes(b"Do as you like.\n")
    return folder


def on_hub(
    hub: FakeHub, folder: Path, more: Mapping[str, bytes] = MappingProxyType({}), name: str = NAME
) -> Repository:
    """Put a folder's files on the hub."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()} | dict(more)
    hub.repositories[name] = Repository(files, tags=["license:apache-2.0"])
    return hub.repositories[name]


def test_a_folder(folder: Path, own_results: Path) -> None:
    """It becomes a GGUF with its name, and tells of its papers, its files and the command."""
    source = parse_source(str(folder), ConvertOptions("f16"))
    assert source.resolve().file_name == "Tiny.gguf"
    assert not (own_results / "converted").exists()
    fetched = source.fetch()
    (file,) = fetched.files
    assert (file.name, fetched.name) == ("Tiny-F16.gguf", "Tiny")
    assert read_header(file.path).text("general.architecture") == "llama"
    assert [licence.name for licence in fetched.licences] == ["LICENSE"]
    assert (fetched.card.license_id, fetched.card.base_model) == ("apache-2.0", ["acme/Big"])
    assert fetched.origin.kind == "file"
    assert "model.safetensors" in [file.name for file in fetched.origin.files]
    (step,) = fetched.origin.steps
    assert (step.kind, step.type, step.inputs) == ("convert", "f16", fetched.origin.files)
    assert step.command == [
        "convert_hf_to_gguf.py", "Tiny", "--outfile", "Tiny-F16.gguf", "--outtype", "f16",
    ]  # fmt: skip


def test_a_repository_without_ggufs(folder: Path, hub: FakeHub, own_results: Path) -> None:
    """Weights and small files are fetched, and what they become tells where it comes from."""
    on_hub(hub, folder, {"pytorch_model.bin": b"pickle", "model.onnx": b"other"})
    source = HubModel(NAME)
    resolved = source.resolve()
    assert resolved.label == f"hf:{NAME}@{COMMIT[:12]}:model.safetensors"
    fetched = source.fetch()
    assert [file.name for file in fetched.files] == ["Tiny-BF16.gguf"]
    assert not [line for line in hub.requests if "pytorch_model" in line or "onnx" in line]
    assert (fetched.origin.kind, fetched.origin.repository) == ("hf", NAME)
    assert fetched.origin.revision == COMMIT
    assert "tokenizer.model" in [file.name for file in fetched.origin.files]
    assert (fetched.card.license_id, fetched.card.text) == ("apache-2.0", CARD)
    assert [licence.name for licence in fetched.licences] == ["LICENSE"]
    (step,) = fetched.origin.steps
    assert step.command[1] == "Tiny"


def test_ggufs_are_taken_first(hub: FakeHub, tmp_path: Path) -> None:
    """A repository with both is converted only on request."""
    folder = write_checkpoint(tmp_path / "Tiny")
    on_hub(hub, folder, {"Tiny-Q4_K_M.gguf": b"GGUF"})
    assert HubModel(NAME).resolve().file_name == "Tiny-Q4_K_M.gguf"
    assert HubModel(NAME).checkpoint().convertible().name == "Tiny"


@pytest.mark.usefixtures("hub")
def test_what_a_repository_does_not_hold(hub: FakeHub, tmp_path: Path) -> None:
    """A quantization of a checkpoint, and a checkpoint among GGUFs, are told not to be there."""
    on_hub(hub, write_checkpoint(tmp_path / "Tiny"))
    with pytest.raises(SourceError, match=r"holds no Q4_K_M, but the checkpoint.*--quantize"):
        HubModel(NAME, wanted="Q4_K_M").resolve()
    hub.repositories[NAME] = Repository({"Tiny-Q4_K_M.gguf": b"GGUF"})
    with pytest.raises(SourceError, match=rf"hf:{NAME} holds no checkpoint"):
        HubModel(NAME).checkpoint()


def test_the_base_of_an_adapter(hub: FakeHub, tmp_path: Path) -> None:
    """It is what the adapter names, on the hub or here, unless somebody knows better."""
    adapter = write_adapter(tmp_path / "Pirate")
    base = write_checkpoint(tmp_path / "Tiny")
    on_hub(hub, base)
    source = parse_source(str(adapter))
    assert isinstance(source, CheckpointFolder)
    config = source.convertible().base_config
    assert config
    assert config.read_bytes() == (base / "config.json").read_bytes()
    assert not [line for line in hub.requests if "safetensors" in line]
    named = CheckpointFolder(adapter, ConvertOptions(base=base))
    assert named.convertible().base_config == base / "config.json"
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match="does not tell which model it was trained on"):
        source.convertible()


def test_an_adapter_on_the_hub(hub: FakeHub, tmp_path: Path) -> None:
    """Its folder is fetched like a model's."""
    on_hub(hub, write_checkpoint(tmp_path / "Tiny"))
    on_hub(hub, write_adapter(tmp_path / "Pirate"), name="acme/Pirate")
    item = HubModel("acme/Pirate").checkpoint().convertible()
    assert (item.name, item.script) == ("Pirate", "convert_lora_to_gguf.py")


def test_inspect(tmp_path: Path) -> None:
    """A checkpoint is not converted only to look at it."""
    folder = write_checkpoint(tmp_path / "Tiny")
    with pytest.raises(UnsupportedError, match=r"Tiny is a checkpoint.*`convert`"):
        inspect_source(parse_source(str(folder)), 0)


def test_the_type_that_fits(
    tiny_checkpoints: dict[str, Path], own_results: Path, tmp_path: Path
) -> None:
    """With a size of memory, a checkpoint is converted, and a type chosen by what it needs."""
    source = parse_source(str(tiny_checkpoints["qwen2"]))
    fit = fitting(source, 300_000_000)
    assert (fit.source, fit.quantization) == (source, None)
    with pytest.raises(ResourceError, match=r"No model of .*qwen2 fits into 1\.0 kB"):
        fitting(source, 1000)


def test_a_folder_of_other_things(tmp_path: Path) -> None:
    """A folder that holds no model is no source."""
    (tmp_path / "model.txt").write_bytes(b"GGUF")
    with pytest.raises(SourceError, match="is a folder that holds neither a checkpoint nor a"):
        parse_source(str(tmp_path))
