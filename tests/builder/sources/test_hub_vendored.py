"""Models of the hub, carried in a vendored folder to where nobody can ask it."""

from pathlib import Path

import pytest
from huggingface_hub import constants

from builder.errors import SourceError
from builder.sources.hub import HubModel
from builder.sources.source import FetchedModel
from builder.vendor.collect import Work, collect
from builder.vendor.folder import MODELS
from builder.vendor.model import model_label, write_model
from runtime.errors import DamagedFileError, UsageError
from tests.builder.fake_hub import COMMIT, OLD_COMMIT, FakeHub
from tests.builder.vendored import go_offline

NAME = "acme/Tiny-GGUF"


def carry(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Vendor a model, and go where there is neither a network nor a cache."""
    collect(tmp_path / "v", [Work(MODELS, "", "", lambda folder: write_model(source, folder))])
    assert not [path for path in (tmp_path / "v").rglob("*") if path.is_symlink()]
    go_offline(tmp_path / "v", monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache-there"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "v"


def contents(fetched: FetchedModel) -> list[bytes]:
    """Return the bytes of a model and what goes beside it."""
    files = [file.path.read_bytes() for file in fetched.files]
    if isinstance(fetched.projector, HubModel):
        files += contents(fetched.projector.fetch())
    return files


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    "wanted", ["", ":Q8_0", f"@{COMMIT}:Tiny-Q4_K_M.gguf", "@v1:F32/Tiny-F32-00001-of-00003.gguf"]
)
def test_the_same_there(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    """The same files, projector, licences and origin come of the same source."""
    source = f"hf:{NAME}{wanted}"
    revision, _, name = wanted.removeprefix("@").partition(":")
    here = HubModel(NAME, revision, name).fetch()
    facts = here.origin, here.licences, here.card, contents(here)
    carry(source, tmp_path, monkeypatch)
    asked = len(hub.requests)

    there = HubModel(NAME, revision, name).fetch()
    assert (there.origin, there.licences, there.card, contents(there)) == facts
    assert len(hub.requests) == asked


@pytest.mark.usefixtures("repository")
def test_what_was_not_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another repository, and another quantization, are told as missing."""
    folder = carry(f"hf:{NAME}:Q8_0", tmp_path, monkeypatch)
    with pytest.raises(SourceError, match=f"neither {folder} nor the hub's cache") as caught:
        HubModel("acme/Other").fetch()
    assert "`vendor DIR --source hf:acme/Other`" in caught.value.hint
    with pytest.raises(SourceError, match="holds no Q4_K_M"):
        HubModel(NAME, wanted="Q4_K_M").fetch()


@pytest.mark.usefixtures("repository")
def test_damaged_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed byte is found before the file is used."""
    folder = carry(f"hf:{NAME}:Q8_0", tmp_path, monkeypatch)
    (path,) = folder.rglob("Tiny-Q8_0.gguf")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedFileError, match=f"{path} is damaged"):
        HubModel(NAME, wanted="Q8_0").fetch()


def test_files_are_copied_by_hand(tmp_path: Path) -> None:
    """A GGUF on this disk needs nobody's help."""
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(UsageError, match=r"model\.gguf is no model of the hub"):
        model_label(str(tmp_path / "model.gguf"))


@pytest.mark.usefixtures("repository")
def test_what_is_meant_exactly() -> None:
    """A branch that has moved on is another model."""
    assert COMMIT[:12] in model_label(f"hf:{NAME}")
    assert OLD_COMMIT[:12] in model_label(f"hf:{NAME}@v1")
