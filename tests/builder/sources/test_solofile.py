"""Solofiles as sources of new ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from builder.contents import Contents
from builder.gguf.facts import read_facts
from builder.icon import IconFile
from builder.kit.kit import Kit
from builder.pack import write_solofile
from builder.sources.card import Card
from builder.sources.solofile import Solofile, is_solofile
from builder.sources.source import LicenceFile, ModelFile
from runtime.branding import Branding
from runtime.errors import DamagedFileError
from runtime.manifest import Origin, OriginFile
from tests.builder.tiny_gguf import write_gguf
from tests.tiny_icon import SVG
from tests.tiny_lora import write_tiny_lora


@pytest.fixture
def contents(tmp_path: Path, tiny_kit: Kit) -> Contents:
    """A model with everything that can go with it."""
    weights = write_gguf(tmp_path / "weights.gguf")
    write_tiny_lora(tmp_path / "a.gguf")
    return Contents(
        name="Tiny",
        kit=tiny_kit,
        weights=weights,
        weights_name="Tiny.F32.gguf",
        weights_sha256="",
        model=read_facts([weights], name="Tiny", card=Card(license_id="mit")),
        origin=Origin(
            kind="pypi",
            repository="tiny",
            revision="1.0",
            files=[OriginFile(name="tiny.whl", size=7, sha256="77")],
        ),
        licences=[LicenceFile("LICENSE", b"Do as you like.\n")],
        adapters=[ModelFile(tmp_path / "a.gguf", "a.gguf")],
        draft=ModelFile(weights, "draft.gguf"),
        defaults={"temp": 0.5, "system_prompt": "You are a pirate."},
        branding=Branding(title="Pirate", examples=("Ahoy?",)),
        icon=IconFile("icon.svg", SVG),
    )


def test_everything_inside(contents: Contents, tmp_path: Path) -> None:
    """All of it is found where it lies, with its digests, its settings and its true origin."""
    path = tmp_path / "old"
    manifest = write_solofile(contents, path)
    assert "Tiny, solofile 0.1.0 for" in Solofile(path).resolve().label
    fetched = Solofile(path).fetch()
    assert fetched.draft is not None
    files = [*fetched.files, fetched.draft, *fetched.adapters]
    assert [file.name for file in files] == ["Tiny.F32.gguf", "draft.gguf", "a.gguf"]
    assert [file.sha256 for file in files] == [entry.sha256 for entry in manifest.entries[:3]]
    whole = path.read_bytes()
    for file, original in zip(files, ("weights.gguf", "weights.gguf", "a.gguf"), strict=True):
        data = file.data
        assert whole[data.offset : data.offset + data.size] == (tmp_path / original).read_bytes()
    assert fetched.name == "Tiny"
    assert fetched.card.license_id == "mit"
    assert fetched.origin == contents.origin
    assert fetched.licences == contents.licences
    assert fetched.settings == contents.defaults
    assert fetched.branding == contents.branding
    assert fetched.icon == contents.icon
    assert fetched.notes == []


def test_settings_of_another_version(contents: Contents, tmp_path: Path) -> None:
    """A setting that is gone, or has another type now, is told and left out."""
    write_solofile(
        replace(contents, defaults={"heat": 1, "temp": "hot", "top_k": 3}), tmp_path / "x"
    )
    fetched = Solofile(tmp_path / "x").fetch()
    assert fetched.settings == {"top_k": 3}
    assert [note.split(" is not")[0] for note in fetched.notes] == [
        "The setting heat 1",
        "The setting temp hot",
    ]


def test_damage(contents: Contents, tmp_path: Path) -> None:
    """One that was cut is none any more, and an altered licence is told."""
    path = tmp_path / "old"
    write_solofile(contents, path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Do as you like.", b"Do as I like!!."))
    with pytest.raises(DamagedFileError, match=r"LICENSES/LICENSE inside .* is damaged"):
        Solofile(path).fetch()
    path.write_bytes(data[:-5])
    assert not is_solofile(path)
    with pytest.raises(DamagedFileError, match="is not a solofile, or it is cut short"):
        Solofile(path).resolve()
