"""The bill of materials of a solofile, in CycloneDX's JSON: model, runtime, and all in them."""

import hashlib
import os
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Commit, Component, ComponentType, Pedigree
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from builder.kit.components import Component as KitComponent
from builder.kit.kit import KitInfo
from runtime.errors import DamagedFileError
from runtime.manifest import EntryFacts, LauncherFacts, ModelFacts, Origin

# As all times in a solofile, unless SOURCE_DATE_EPOCH names another.
_TIME_1980_01_01 = 315532800
_NAMESPACE = uuid.UUID("2f0b1c52-5d6e-5a31-9a35-0c9d4b1f6e21")
# What references to the kit's components begin with, and the property that names their files.
_OF_KIT, _FILE_PROPERTY = "kit:", "solofile:file"
_MODELS = {"weights", "draft", "projector", "adapter"}


def make_sbom(
    name: str,
    model: ModelFacts,
    origin: Origin,
    kit: KitInfo,
    launcher: LauncherFacts,
    entries: Sequence[EntryFacts],
) -> bytes:
    """Return the bill of materials; the same facts give the same bytes.

    Args:
        name: What the solofile's model is called.
        model: What its header says.
        origin: Where it came from.
        kit: What the runtime is made of.
        launcher: The launcher's size and digest.
        entries: The entries with models, and the runtime.
    """
    files = [
        _file("launcher", launcher.sha256),
        *(_model(one, model, origin) for one in entries if one.role in _MODELS),
        *(_file(one.name, one.sha256) for one in entries if one.role == "runtime"),
    ]
    components = sorted(kit.components or _known_of_old_kits(kit), key=lambda one: one.name)
    parts = [_kit_component(one) for one in components]
    whole = Component(name=name, type=ComponentType.APPLICATION, bom_ref="solofile")
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or _TIME_1980_01_01)
    # Whatever it is about is in its serial number.
    digests = [launcher.sha256, *(one.sha256 for one in entries)]
    told = [(one.name, one.version, one.licence, one.purl, one.files) for one in components]
    facts = hashlib.sha256("\n".join([name, repr(origin), repr(told), *digests]).encode())
    bom = Bom(
        components=[*files, *parts],
        serial_number=uuid.uuid5(_NAMESPACE, facts.hexdigest()),
        metadata=BomMetaData(component=whole, timestamp=datetime.fromtimestamp(seconds, UTC)),
    )
    bom.register_dependency(whole, [*files, *parts])
    return (JsonV1Dot6(bom).output_as_string(indent=2) + "\n").encode()


def _model(entry: EntryFacts, model: ModelFacts, origin: Origin) -> Component:
    is_main = entry.role == "weights"
    facts = {
        "role": entry.role,
        **(
            {
                "architecture": model.architecture,
                "quantization": model.quantization,
                "parameters": str(model.n_params),
                "origin": " ".join(filter(None, [origin.kind, origin.repository, origin.revision])),
            }
            if is_main
            else {}
        ),
    }
    fetched = [f"{one.name} sha256:{one.sha256}" for one in origin.files] if is_main else []
    return Component(
        name=model.name if is_main else entry.name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"file:{entry.name}",
        hashes=[_sha256(entry.sha256)],
        licenses=_licences(model.license or model.license_name) if is_main else [],
        properties=_properties(
            [*facts.items(), ("file", entry.name), *(("fetched", one) for one in fetched)]
            + [("base model", one) for one in model.base_model if is_main]
        ),
    )


def _file(name: str, sha256: str) -> Component:
    return Component(
        name=name, type=ComponentType.FILE, bom_ref=f"file:{name}", hashes=[_sha256(sha256)]
    )


def _kit_component(one: KitComponent) -> Component:
    purl = PackageURL.from_string(one.purl) if one.purl else None
    is_commit = purl is not None and purl.type == "github"
    return Component(
        name=one.name,
        version=one.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=f"{_OF_KIT}{one.name}",
        licenses=_licences(one.licence),
        purl=purl,
        pedigree=Pedigree(commits=[Commit(uid=purl.version)]) if purl and is_commit else None,
        properties=_properties([("file", name) for name in one.files]),
    )


def kit_components(sbom: bytes) -> list[KitComponent]:
    """Return what the kit of a solofile is made of, as its bill of materials tells.

    Raises:
        DamagedFileError: It is not one that was made here.
    """
    try:
        found = msgspec.json.decode(sbom, type=_Bom).components
    except msgspec.MsgspecError as error:
        raise DamagedFileError(f"The bill of materials makes no sense: {error}.") from error
    return [one.kit_component() for one in found if one.bom_ref.startswith(_OF_KIT)]


class _Licence(msgspec.Struct, frozen=True):
    id: str = ""
    name: str = ""


class _Licensed(msgspec.Struct, frozen=True):
    license: _Licence = _Licence()
    expression: str = ""


class _Property(msgspec.Struct, frozen=True):
    name: str
    value: str = ""


class _Told(msgspec.Struct, frozen=True):
    """A component as the JSON has it."""

    name: str
    bom_ref: str = msgspec.field(name="bom-ref", default="")
    version: str = ""
    purl: str = ""
    licenses: list[_Licensed] = []
    properties: list[_Property] = []

    def kit_component(self) -> KitComponent:
        """Return what the kit said of it, but for the names of its licences' texts."""
        licences = (one.expression or one.license.id or one.license.name for one in self.licenses)
        return KitComponent(
            name=self.name,
            version=self.version,
            licence=next(licences, ""),
            purl=self.purl,
            files=[one.value for one in self.properties if one.name == _FILE_PROPERTY],
        )


class _Bom(msgspec.Struct, frozen=True):
    components: list[_Told]


def _known_of_old_kits(kit: KitInfo) -> list[KitComponent]:
    """Return what a kit says of itself that was made before kits listed what they are made of."""
    purl = f"pkg:github/ggml-org/llama.cpp@{kit.llama_cpp_commit}"
    return [
        KitComponent(name="CPython", version=kit.python, licence="Python-2.0.1"),
        KitComponent(name="llama.cpp", version=kit.llama_cpp, licence="MIT", purl=purl),
    ]


def _licences(text: str) -> list[License]:
    return [LicenseFactory().make_from_string(text)] if text else []


def _properties(pairs: Iterable[tuple[str, str]]) -> list[Property]:
    return [Property(name=f"solofile:{name}", value=value) for name, value in pairs]


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
