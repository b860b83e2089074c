"""A repository's GGUF files as another program keeps them, which are used where they lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from builder.sources.hub import promised_sha256
from builder.sources.papers import papers_beside
from builder.sources.projectors import best_projector
from builder.sources.quantizations import choose, variants
from builder.sources.source import Carried, FetchedModel, ModelFile, ResolvedSource
from runtime.manifest import Origin


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """The files of one repository.

    Args:
        label: What error sentences call it, such as `lmstudio:OWNER/NAME`.
        files: Where they lie, by their names in it.
        origin: What a manifest says of it.
    """

    label: str
    files: Mapping[str, Path]
    origin: Origin

    def resolve(self, wanted: str) -> ResolvedSource:
        """Choose a model by quantization or file name; empty for the best default.

        Raises:
            SourceError: None, or more than one, is meant, or a part of it is missing.
        """
        name = self._choose(wanted)[0]
        return ResolvedSource(
            f"{self.label}:{name} at {self.files[name]}", PurePosixPath(name).name
        )

    def fetch(self, wanted: str) -> FetchedModel:
        """Return the same model and its projector where they lie.

        Raises:
            SourceError: None, or more than one, is meant, or a part of it is missing.
        """
        names = self._choose(wanted)
        files = [self._file(name) for name in names]
        projector = best_projector(self.files, names[0])
        papers = papers_beside(files[0].path.parent, files[0].name)
        return FetchedModel(
            files=files,
            origin=self.origin,
            licences=papers.licences,
            card=papers.card,
            projector=Carried(self._file(projector)) if projector else None,
        )

    def _choose(self, wanted: str) -> tuple[str, ...]:
        return choose(variants(self.files), wanted, self.label).files

    def _file(self, name: str) -> ModelFile:
        path = self.files[name]
        return ModelFile(path, PurePosixPath(name).name, promised_sha256(path))
