"""A checkpoint in a folder, or an adapter as PEFT saves it, which is converted to a GGUF."""

import re
from dataclasses import dataclass
from pathlib import Path

from builder.convert.adapter import base_model, is_adapter, read_adapter
from builder.convert.checkpoint import CONFIG, SCRIPT, is_checkpoint, read_checkpoint
from builder.convert.convert import command, converted
from builder.convert.convertible import Convertible
from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from builder.gguf.facts import quantization_of
from builder.gguf.header import read_header
from builder.sources.hub import HubModel
from builder.sources.papers import papers_in
from builder.sources.source import FetchedModel, ModelFile, ResolvedSource, Source
from builder.steps import converting
from runtime.manifest import Origin

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """A checkpoint or an adapter by its folder.

    Args:
        folder: Where it lies.
        conversion: How to convert it.
        name: What it is called; empty takes the folder's name.
    """

    folder: Path
    conversion: ConvertOptions
    name: str = ""

    def resolve(self) -> ResolvedSource:
        """Find out whether the folder holds all that is needed.

        Raises:
            DamagedFileError: A file is cut short, or not what its name says.
            SourceError: Something is missing.
            UnsupportedError: Its weights are in a form that is not read.
        """
        item = self.convertible()
        return ResolvedSource(label=str(self.folder), file_name=f"{item.name}.gguf")

    def fetch(self) -> FetchedModel:
        """Return the GGUF, which is made on first use.

        Raises:
            AppError: Converting failed.
        """
        item = self.convertible()
        made = converted(item)
        kind = quantization_of(read_header(made.path))
        start = "mmproj-" if self.conversion.is_mmproj else ""
        name = f"{start}{item.name}-{kind}.gguf"
        step = converting(made.inputs, command(item, name), item.outtype)
        papers = papers_in(self.folder)
        return FetchedModel(
            files=[ModelFile(made.path, name)],
            origin=Origin(kind="file", files=made.inputs, steps=[step]),
            licences=papers.licences,
            card=papers.card,
            name=item.name,
            checkpoint=self.folder if item.script == SCRIPT else None,
        )

    def convertible(self) -> Convertible:
        """Return what is to be converted; an adapter's base is looked up.

        Raises:
            DamagedFileError: A file is cut short, or not what its name says.
            SourceError: Something is missing.
            UnsupportedError: Its weights are in a form that is not read.
        """
        if is_adapter(self.folder):
            base = self.conversion.base or _base(self.folder)
            return read_adapter(self.folder, base, self.conversion, name=self.name)
        return read_checkpoint(self.folder, self.conversion, name=self.name)


def is_to_convert(source: Source) -> bool:
    """Say whether what a source means must be converted first.

    Raises:
        SourceError: The source is not there or not reachable.
    """
    if isinstance(source, CheckpointFolder):
        return True
    return isinstance(source, HubModel) and not source.resolve().file_name.endswith(".gguf")


def is_convertible(folder: Path) -> bool:
    """Say whether a folder looks like a checkpoint or an adapter, whole or not."""
    return is_adapter(folder) or is_checkpoint(folder)


def _base(folder: Path) -> Path:
    """Return the folder with the configuration of the model that an adapter was trained on."""
    base = base_model(folder)
    if base and Path(base).is_dir():
        return Path(base)
    if not _REPOSITORY.fullmatch(base):
        raise SourceError(
            f"{folder} does not tell which model it was trained on.",
            hint="Convert it with `convert`, and name that model's folder with --base.",
        )
    return HubModel(base).small_file(CONFIG).parent
