"""Another solofile: its weights, companions and settings get a new runtime."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from builder.defaults import typed_setting
from builder.file_range import FileRange
from builder.icon import IconFile, checked_icon
from builder.sources.card import Card
from builder.sources.source import Carried, FetchedModel, LicenceFile, ModelFile, ResolvedSource
from builder.sources.taken import Taken
from runtime.container import MANIFEST_NAME, Container
from runtime.errors import DamagedFileError
from runtime.manifest import EntryFacts, Manifest, read_manifest
from runtime.sidecar import open_sidecar
from runtime.zip_records import COPY_AGAIN

_KNOWN_ROLES = {
    "weights", "adapter", "draft", "projector", "licence", "card", "icon", "sbom", "runtime",
}  # fmt: skip
_NO_MODELS = {"licence", "card", "icon", "sbom", "runtime"}


@dataclass(frozen=True, slots=True)
class Solofile:
    """A solofile by its path, whatever it runs on."""

    path: Path

    def resolve(self) -> ResolvedSource:
        """Read its manifest.

        Raises:
            DamagedFileError: It is cut short, or its manifest makes no sense.
            UnsupportedError: Its format is newer than this version reads.
        """
        with Container.open(self.path) as container:
            manifest = read_manifest(container)
        kit = manifest.kit
        return ResolvedSource(
            label=f"{self.path} ({manifest.name}, solofile {kit.solofile} for {kit.target})",
            file_name=manifest.weights.name,
        )

    def fetch(self) -> FetchedModel:
        """Return what it carries, where it lies in it.

        Raises:
            DamagedFileError: It is cut short, or holds something else than its manifest tells.
            UnsupportedError: Its format is newer than this version reads.
        """
        with Container.open(self.path) as container:
            manifest = read_manifest(container)
            files = {
                role: [_file(container, facts) for facts in manifest.entries if facts.role == role]
                for role in _KNOWN_ROLES - _NO_MODELS
            }
            if manifest.sidecar:
                with open_sidecar(self.path, manifest.sidecar) as beside:
                    files["weights"] = [_file(beside, manifest.sidecar.weights)]
            licences = [
                _licence(container, facts) for facts in manifest.entries if facts.role == "licence"
            ]
            cards = [_small(container, facts) for facts in manifest.entries if facts.role == "card"]
            icon = _icon(container, manifest.icon) if manifest.icon else None
        model = manifest.model
        taken = _take(manifest)
        return FetchedModel(
            files=files["weights"],
            origin=manifest.origin,
            licences=licences,
            card=Card(
                text=next(iter(cards), b""),
                license_id=model.license,
                license_name=model.license_name,
                license_link=model.license_link,
                base_model=model.base_model,
            ),
            name=manifest.name,
            adapters=files["adapter"],
            draft=next(iter(files["draft"]), None),
            projector=next(map(Carried, files["projector"]), None),
            settings=taken.settings,
            notes=taken.notes,
            branding=manifest.branding,
            icon=icon,
        )


def is_solofile(path: Path) -> bool:
    """Say whether a file is an archive with a solofile's manifest in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST_NAME in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def _file(container: Container, facts: EntryFacts) -> ModelFile:
    entry = container.entry(facts.name)
    if entry.size != facts.size:
        raise _damaged(container, facts)
    data = FileRange(container.path, entry.offset, entry.size, facts.name)
    return ModelFile(container.path, PurePosixPath(facts.name).name, facts.sha256, data)


def _licence(container: Container, facts: EntryFacts) -> LicenceFile:
    return LicenceFile(PurePosixPath(facts.name).name, _small(container, facts))


def _icon(container: Container, facts: EntryFacts) -> IconFile:
    return checked_icon(_small(container, facts), container.path / facts.name)


def _small(container: Container, facts: EntryFacts) -> bytes:
    data = container.read(facts.name)
    if hashlib.sha256(data).hexdigest() != facts.sha256:
        raise _damaged(container, facts)
    return data


def _damaged(container: Container, facts: EntryFacts) -> DamagedFileError:
    return DamagedFileError(f"{facts.name} inside {container.path} is damaged.", hint=COPY_AGAIN)


def _take(manifest: Manifest) -> Taken:
    """Return the settings that this version still has, and sentences on what else is inside."""
    taken = Taken()
    for name, value in manifest.defaults.items():
        try:
            taken.settings[name] = typed_setting(name, value)
        except (KeyError, msgspec.ValidationError):
            taken.notes.append(f"The setting {name} {value} is not taken over: none is like that.")
    for facts in manifest.entries:
        if facts.role not in _KNOWN_ROLES:
            taken.notes.append(f"{facts.name} is not taken over: what it is, is not known here.")
    return taken
