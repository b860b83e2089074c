"""A folder with the GGUF files of a repository, as somebody downloaded it."""

from dataclasses import dataclass
from pathlib import Path

from builder.gguf.facts import model_name
from builder.sources.local_repository import LocalRepository
from builder.sources.projectors import is_projector
from builder.sources.quantizations import variants
from builder.sources.source import FetchedModel, ResolvedSource
from runtime.manifest import Origin


@dataclass(frozen=True, slots=True)
class GgufFolder:
    """The GGUF files in a folder.

    Args:
        path: The folder.
        wanted: A file or a quantization; empty for the best default.
    """

    path: Path
    wanted: str = ""

    def resolve(self) -> ResolvedSource:
        """Choose the files.

        Raises:
            SourceError: None, or more than one model, is meant.
        """
        return self._repository().resolve(self.wanted)

    def fetch(self) -> FetchedModel:
        """Return the files where they lie.

        Raises:
            SourceError: None, or more than one model, is meant.
        """
        return self._repository().fetch(self.wanted)

    def _repository(self) -> LocalRepository:
        files = gguf_files(self.path)
        if len({model_name(one.files[0]) for one in variants(files)}) > 1:
            # Nothing tells whose a projector is.
            files = {name: path for name, path in files.items() if not is_projector(name)}
        return LocalRepository(str(self.path), files, Origin(kind="file", files=[]))


def gguf_files(folder: Path) -> dict[str, Path]:
    """Return the GGUF files in a folder, and not in those in it, by their names."""
    return {path.name: path for path in sorted(folder.glob("*.gguf")) if path.is_file()}
