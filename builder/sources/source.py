"""The interface every kind of source has, and what it hands over."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from builder.file_range import FileRange
from builder.icon import IconFile
from builder.sources.card import Card
from runtime.branding import Branding
from runtime.manifest import Origin, SettingValue


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model on this machine.

    Args:
        path: Where it lies.
        name: Its file name at its origin.
        sha256: The digest its origin promises, in hex; empty where it promises none.
        inside: The part of `path` that is meant; None for all of it.
    """

    path: Path
    name: str
    sha256: str = ""
    inside: FileRange | None = None

    @property
    def data(self) -> FileRange:
        """Its bytes.

        Raises:
            OSError: The file cannot be read.
        """
        return self.inside or FileRange.of(self.path)


@dataclass(frozen=True, slots=True)
class LicenceFile:
    """The text of a licence, by its file name at the origin."""

    name: str
    text: bytes


@dataclass(frozen=True, slots=True)
class FetchedModel:
    """A model on this machine.

    Args:
        files: The GGUF, or all parts of a split one in order.
        origin: Where it came from; without files where those of `files` are meant.
        licences: The licence texts found with it.
        card: What its origin tells of it.
        name: What the model is called; empty where its file's name tells.
        adapters: The LoRA adapters that came with it, in the order of their numbers.
        draft: The draft model that came with it.
        projector: Where the projector that belongs to it comes from.
        settings: The settings that came with it.
        notes: Sentences about what came with it and cannot be taken over.
        branding: How it presented itself.
        icon: The icon that came with it.
        checkpoint: The folder of what it was converted from; None where it came as a GGUF.
    """

    files: list[ModelFile]
    origin: Origin
    licences: list[LicenceFile] = field(default_factory=list)
    card: Card = field(default_factory=Card)
    name: str = ""
    adapters: list[ModelFile] = field(default_factory=list)
    draft: ModelFile | None = None
    projector: "Source | None" = None
    settings: dict[str, SettingValue] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    branding: Branding = field(default_factory=Branding)
    icon: IconFile | None = None
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True)
class ResolvedSource:
    """What is known of a source before anything is downloaded.

    Args:
        label: What it is, exactly, for people.
        file_name: The name of the GGUF, or of its first part.
        size_bytes: What must be downloaded at most; 0 where that is unknown or nothing.
        card: What its origin tells of it, as far as that is known yet.
        notes: Sentences on what must be known before it is downloaded.
    """

    label: str
    file_name: str
    size_bytes: int = 0
    card: Card = field(default_factory=Card)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that came with a model, as a source of its own."""

    file: ModelFile

    def resolve(self) -> ResolvedSource:
        """Return the file's name."""
        return ResolvedSource(label=str(self.file.data), file_name=self.file.name)

    def fetch(self) -> FetchedModel:
        """Return the file where it lies; its licences came with the model."""
        return FetchedModel([self.file], Origin(kind="file", files=[]))


class Source(Protocol):
    """A place a model comes from."""

    def resolve(self) -> ResolvedSource:
        """Find out what exactly is meant, without downloading it.

        Raises:
            SourceError: It is not there, not reachable, or ambiguous.
        """

    def fetch(self) -> FetchedModel:
        """Bring the model to this machine, where it is not there yet.

        Raises:
            SourceError: It could not be had.
            DiskError: It does not fit.
        """
