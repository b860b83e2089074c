"""The bill of materials: valid by CycloneDX's own schema, complete, and the same each time."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from builder.__main__ import run
from builder.contents import Contents
from builder.kit.components import Component
from builder.kit.kit import Kit
from builder.pack import SBOM_NAME, write_solofile
from builder.sources.source import ModelFile
from runtime.container import Container
from runtime.manifest import Origin, OriginFile
from runtime.verify import verify
from tests.builder.contents import contents_of
from tests.builder.tiny_gguf import write_gguf

# As the schemas name each other.
ADDRESS = "http://cyclonedx.org/schema/{}.SNAPSHOT.schema.json"
COMPONENTS = [
    Component(
        name="llama.cpp",
        version="0.5.0",
        licence="MIT",
        purl="pkg:github/ggml-org/llama.cpp@0c1e57098",
    ),
    Component(name="OpenSSL", version="3.0.19", licence="Apache-2.0", files=["libssl.so.3"]),
    Component(name="libc++", licence="Apache-2.0 WITH LLVM-exception"),
    Component(name="unknown.so"),
]


@pytest.fixture
def contents(tiny_kit: Kit, tmp_path: Path) -> Contents:
    """A model from somewhere, with a draft, and a kit that tells what it is made of."""
    model = write_gguf(tmp_path / "model.gguf")
    kit = replace(tiny_kit, info=msgspec.structs.replace(tiny_kit.info, components=COMPONENTS))
    contents = contents_of(kit, model, draft=ModelFile(model, "draft.gguf"))
    fetched = [OriginFile(name="model.gguf", size=1, sha256="ab" * 32)]
    return replace(
        contents,
        origin=Origin(kind="hf", repository="owner/repo", revision="12ab", files=fetched),
        model=msgspec.structs.replace(contents.model, license="apache-2.0"),
    )


def sbom_of(path: Path) -> dict[str, Any]:
    """Return the bill of materials inside a solofile."""
    with Container.open(path) as container:
        found: dict[str, Any] = json.loads(container.read(SBOM_NAME))
    return found


def schema(name: str) -> Any:
    """Return one of the schemas that CycloneDX publishes, as its library carries them."""
    text = (
        files("cyclonedx.schema._res").joinpath(f"{name}.SNAPSHOT.schema.json").read_text("utf-8")
    )
    return json.loads(text)


def test_it_is_valid_and_complete(contents: Contents, tmp_path: Path) -> None:
    """The published schema takes it, and what is inside stands in it with digests and licences."""
    path = tmp_path / "chat"
    manifest = write_solofile(contents, path)
    assert verify(path) == []
    sbom = sbom_of(path)
    names = ("spdx", "jsf-0.82", "cryptography-defs")
    registry = jsonschema_rs.Registry([(ADDRESS.format(name), schema(name)) for name in names])
    jsonschema_rs.validator_for(schema("bom-1.6"), registry=registry).validate(sbom)
    found = {one["bom-ref"]: one for one in sbom["components"]}
    for entry in manifest.entries:
        if entry.role in ("weights", "draft", "runtime"):
            assert found[f"file:{entry.name}"]["hashes"][0]["content"] == entry.sha256
    assert found["file:launcher"]["hashes"][0]["content"] == manifest.launcher.sha256
    model = found["file:model.gguf"]
    assert model["type"] == "machine-learning-model"
    assert model["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    told = {(one["name"], one["value"]) for one in model["properties"]}
    assert ("solofile:origin", "hf owner/repo 12ab") in told
    assert ("solofile:fetched", f"model.gguf sha256:{'ab' * 32}") in told
    llama_cpp = found["kit:llama.cpp"]
    assert llama_cpp["pedigree"]["commits"] == [{"uid": "0c1e57098"}]
    assert found["kit:OpenSSL"]["version"] == "3.0.19"
    assert "licenses" not in found["kit:unknown.so"]
    depended = next(one for one in sbom["dependencies"] if one["ref"] == "solofile")
    assert set(depended["dependsOn"]) == set(found)


def test_the_same_each_time(
    contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Serial number and time follow from what is inside and from SOURCE_DATE_EPOCH."""
    for name in ("one", "two"):
        write_solofile(contents, tmp_path / name)
    assert sbom_of(tmp_path / "one") == sbom_of(tmp_path / "two")
    assert sbom_of(tmp_path / "one")["metadata"]["timestamp"] == "1980-01-01T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    write_solofile(contents, tmp_path / "dated")
    assert sbom_of(tmp_path / "dated")["metadata"]["timestamp"].startswith("2023-11-14T")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    write_solofile(replace(contents, name="Other"), tmp_path / "other")
    serials = {sbom_of(tmp_path / name)["serialNumber"] for name in ("one", "other")}
    assert len(serials) == 2


def test_a_kit_of_before(contents: Contents, tmp_path: Path, tiny_kit: Kit) -> None:
    """Of a kit that lists nothing, what its facts tell is there."""
    write_solofile(replace(contents, kit=tiny_kit), tmp_path / "chat")
    names = {one["name"]: one.get("version") for one in sbom_of(tmp_path / "chat")["components"]}
    assert (names["llama.cpp"], names["CPython"]) == ("0.5.0", "3.11.7")


def test_the_command(
    contents: Contents, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints what is inside; a file without is told so."""
    path = tmp_path / "chat"
    write_solofile(contents, path)
    capsys.readouterr()
    assert run(["sbom", str(path)]) == 0
    assert json.loads(capsys.readouterr().out) == sbom_of(path)
    assert run(["sbom", str(contents.weights)]) == 3
