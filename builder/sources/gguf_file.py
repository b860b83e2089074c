"""A GGUF on this machine, in one file or in parts that lie beside each other."""

from dataclasses import dataclass
from pathlib import Path

from builder.errors import SourceError
from builder.gguf.facts import PART
from builder.gguf.header import MAGIC
from builder.sources.papers import papers_beside
from builder.sources.source import FetchedModel, ModelFile, ResolvedSource
from runtime.manifest import Origin


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A GGUF by its path; of a split one, any part."""

    path: Path

    def resolve(self) -> ResolvedSource:
        """Find the file, or all of its parts.

        Raises:
            SourceError: It is no GGUF, or a part is missing.
        """
        parts = self._parts()
        return ResolvedSource(label=str(self.path), file_name=parts[0].name)

    def fetch(self) -> FetchedModel:
        """Return the file, or all of its parts, where they lie.

        Raises:
            SourceError: It is no GGUF, or a part is missing.
        """
        papers = papers_beside(self.path.parent, self.path.name)
        return FetchedModel(
            files=[ModelFile(part, part.name) for part in self._parts()],
            origin=Origin(kind="file", files=[]),
            licences=papers.licences,
            card=papers.card,
        )

    def _parts(self) -> list[Path]:
        if not begins_like_gguf(self.path):
            raise SourceError(
                f"{self.path} is not a GGUF file.",
                hint="Name a file in the GGUF format; their names end in .gguf.",
            )
        parts = [self.path.with_name(name) for name in part_names(self.path.name)]
        missing = [part.name for part in parts if not part.is_file()]
        if missing:
            raise SourceError(
                f"{self.path.name} is one of {len(parts)} parts, and {', '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} not beside it.",
                hint="Put all parts into one folder.",
            )
        return parts


def begins_like_gguf(path: Path) -> bool:
    """Say whether a file's first bytes are those of a GGUF.

    Raises:
        SourceError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from error


def part_names(name: str) -> list[str]:
    """Return the names of all parts of a split GGUF from that of any; a single file's own name."""
    stem = name.removesuffix(".gguf")
    match = PART.search(stem)
    if not match:
        return [name]
    prefix, count = stem[: match.start()], int(match[2])
    return [f"{prefix}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
