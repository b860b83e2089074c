"""A GGUF in a repository of the Hugging Face hub, kept in the hub's own cache.

The client library is imported on use only: it is slow to load and many commands need none of it.
It downloads, resumes, finds the token and honours `HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE`.
"""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from builder import console
from builder.convert.checkpoint import checkpoint_names
from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from builder.files import explained_disk_errors, require_space
from builder.sources.card import NAME as CARD_NAME
from builder.sources.card import Card
from builder.sources.gguf_file import part_names
from builder.sources.hub_download import (
    TIMEOUT_S,
    cached_file,
    download,
    repository_folder,
)
from builder.sources.hub_errors import explained_hub_errors
from builder.sources.hub_revision import COMMIT, Revision, recall, remember, revision_of
from builder.sources.patience import patiently
from builder.sources.projectors import best_projector, is_projector
from builder.sources.quantizations import Variant, choose, variants
from builder.sources.source import FetchedModel, LicenceFile, ModelFile, ResolvedSource
from builder.vendor.hub import bring_repository
from runtime.manifest import Origin

if TYPE_CHECKING:
    from builder.sources.checkpoint import CheckpointFolder

# The library would otherwise ask the hub about, and tell it of, the tools that run it.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

_AS_IT_IS = ConvertOptions()
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a commit of a repository holds.

    Args:
        commit: Its full name.
        variants: The whole models in it, the one that is meant first.
        sizes: All files with their sizes in bytes.
        card: What its card tells.
        projector: The file by which the first one sees; None where there is none.
    """

    commit: str
    variants: list[Variant]
    sizes: dict[str, int]
    card: Card
    projector: str | None


class HubModel:
    """A model in a hub repository.

    Args:
        repository: `OWNER/NAME`.
        revision: A branch, tag or commit; empty for the main branch.
        wanted: A file or a quantization; empty for the best default.
        conversion: How to convert what it holds, if that is a checkpoint and no GGUF.
    """

    def __init__(
        self,
        repository: str,
        revision: str = "",
        wanted: str = "",
        conversion: ConvertOptions = _AS_IT_IS,
    ) -> None:
        self.repository = repository
        self.revision = revision
        self.wanted = wanted
        self.conversion = conversion
        self._found: tuple[Revision, tuple[str, ...]] | None = None

    @property
    def is_cached(self) -> bool:
        """Whether an exact file of an exact commit lies in the hub's cache."""
        return self._cached_exactly() is not None

    def resolve(self) -> ResolvedSource:
        """Pin the commit and choose the files.

        Raises:
            SourceError: The repository, revision or file is not there, closed or unreachable.
        """
        revision, files = self._find()
        return ResolvedSource(
            label=f"hf:{self.repository}@{revision.commit[:12]}:{files[0]}",
            file_name=PurePosixPath(files[0]).name,
            size_bytes=sum(revision.sizes[name] for name in files),
            card=revision.card,
            notes=[self._gate(revision.gated)] if revision.gated else [],
        )

    def fetch(self) -> FetchedModel:
        """Download what the hub's cache lacks, going on where an earlier run stopped.

        Raises:
            SourceError: The hub is unreachable or the download broke off.
            DiskError: The cache is full or not writable.
            AppError: What converting raises.
        """
        revision, files = self._find()
        fetched = self._fetch(revision, files)
        if files[0].endswith(".gguf"):
            return fetched
        made = self._folder(fetched).fetch()
        return replace(
            made,
            origin=msgspec.structs.replace(
                fetched.origin, files=made.origin.files, steps=made.origin.steps
            ),
            card=_card(revision, made.card.text),
        )

    def checkpoint(self) -> "CheckpointFolder":
        """Download the repository's checkpoint, even if there are GGUFs beside it.

        Raises:
            SourceError: It holds none, the hub is unreachable or the download broke off.
            DiskError: The cache is full or not writable.
        """
        revision = self._ask_hub()
        files = checkpoint_names(revision.sizes)
        if not files:
            raise SourceError(f"hf:{self.repository} holds no checkpoint.")
        return self._folder(self._fetch(revision, tuple(files)))

    def small_file(self, name: str) -> Path:
        """Download one small file of the repository, whatever models it holds.

        Raises:
            SourceError: It is not there, the hub is unreachable or the download broke off.
            DiskError: The cache is full or not writable.
        """
        revision = self._ask_hub()
        if name not in revision.sizes:
            raise SourceError(f"hf:{self.repository} holds no {name}.")
        remember(self.repository, self.revision, revision)
        with explained_hub_errors(self.repository):
            return download(self.repository, {name: revision.sizes[name]}, revision.commit)[0]

    def cached_files(self) -> list[Path]:
        """Download the model as it is, and return all that the hub's cache keeps of it.

        Raises:
            SourceError: The hub is unreachable or the download broke off.
            DiskError: The cache is full or not writable.
        """
        revision, files = self._find()
        projector = self._fetch(revision, files).projector
        home = repository_folder(self.repository)
        names = dict.fromkeys([*files, *revision.paper_names()])
        paths = [cached_file(self.repository, name, revision.commit) for name in names]
        paths.append(home / "listings" / f"{revision.commit}.json")
        paths.append(home / "refs" / (self.revision or "main"))
        if isinstance(projector, HubModel):
            paths += projector.cached_files()
        return [path for path in dict.fromkeys(paths) if path and path.is_file()]

    def _folder(self, fetched: FetchedModel) -> "CheckpointFolder":
        """Return the fetched checkpoint as the source it is."""
        from builder.sources.checkpoint import CheckpointFolder

        first = fetched.files[0].path
        return CheckpointFolder(first.parent, self.conversion, self.repository.partition("/")[2])

    def _fetch(self, revision: Revision, files: tuple[str, ...]) -> FetchedModel:
        self._require_space(revision, files)
        remember(self.repository, self.revision, revision)
        names = list(dict.fromkeys([*files, *revision.paper_names()]))
        with explained_hub_errors(self.repository):
            sizes = {name: revision.sizes[name] for name in names}
            paths = download(self.repository, sizes, revision.commit)
        papers = {
            name: path.read_bytes()
            for name, path in zip(names, paths, strict=True)
            if name not in files
        }
        text = papers.pop(CARD_NAME, b"")
        return FetchedModel(
            files=[
                ModelFile(path, PurePosixPath(name).name, promised_sha256(path))
                for path, name in zip(paths, files, strict=False)
            ],
            origin=Origin(
                kind="hf",
                repository=self.repository,
                revision=revision.commit,
                gated=revision.gated,
                files=[],
            ),
            projector=self._projector(revision, files[0]),
            licences=[LicenceFile(name, text) for name, text in papers.items()],
            card=_card(revision, text),
        )

    def listing(self) -> Listing:
        """List all models beside the one that is meant, without downloading any.

        Raises:
            SourceError: The repository, revision or file is not there, closed or unreachable.
        """
        revision, files = self._find()
        whole = [one for one in variants(revision.sizes) if not one.missing]
        whole.sort(key=lambda one: one.files != files)
        projector = best_projector(revision.sizes, files[0])
        return Listing(revision.commit, whole, revision.sizes, revision.card, projector)

    def _gate(self, gated: str) -> str:
        whom = "people who accepted its terms"
        if gated == "manual":
            whom += " and whom its owners let in"
        return f"The hub gives {self.repository} only to {whom}; they bind the solofile, too."

    def _find(self) -> tuple[Revision, tuple[str, ...]]:
        if self._found is None:
            revision = self._cached_exactly() or self._ask_hub()
            self._found = revision, self._choose(revision)
        return self._found

    def _choose(self, revision: Revision) -> tuple[str, ...]:
        if is_projector(self.wanted) and self.wanted in revision.sizes:
            return (self.wanted,)
        models, repository = variants(revision.sizes), f"hf:{self.repository}"
        checkpoint = [] if models else checkpoint_names(revision.sizes)
        if checkpoint and self.wanted:
            raise SourceError(
                f"{repository} holds no {self.wanted}, but the checkpoint of a model.",
                hint=f"Name {repository} alone, with --quantize TYPE to choose a quantization.",
            )
        return tuple(checkpoint) or choose(models, self.wanted, repository).files

    def _projector(self, revision: Revision, model: str) -> "HubModel | None":
        name = None if is_projector(model) else best_projector(revision.sizes, model)
        if name is None:
            return None
        projector = HubModel(self.repository, revision.commit, name)
        projector._found = revision, (name,)
        return projector

    def _cached_exactly(self) -> Revision | None:
        """Return the revision without asking the hub, where the cache holds just what is meant."""
        if not COMMIT.fullmatch(self.revision) or not self.wanted.endswith(".gguf"):
            return None
        revision = recall(self.repository, self.revision)
        path = PurePosixPath(self.wanted)
        needed = [str(path.with_name(name)) for name in part_names(path.name)]
        is_here = all(cached_file(self.repository, name, self.revision) for name in needed)
        return revision if is_here else None

    def _ask_hub(self) -> Revision:
        import httpx2
        from huggingface_hub import HfApi
        from huggingface_hub.errors import OfflineModeIsEnabled

        try:
            with explained_hub_errors(self.repository, self.revision):
                info = patiently(
                    lambda: HfApi().model_info(
                        self.repository,
                        revision=self.revision or None,
                        files_metadata=True,
                        timeout=TIMEOUT_S,
                    )
                )
        except SourceError as error:
            is_offline = isinstance(error.__cause__, (httpx2.TransportError, OfflineModeIsEnabled))
            revision = self._in_cache() if is_offline else None
            if revision is None:
                raise
            console.info(
                f"The hub is not reachable; using what its cache holds of {self.repository}."
            )
            return revision
        return revision_of(info)

    def _in_cache(self) -> Revision | None:
        """Return what the hub's cache holds of the wanted revision."""
        home = repository_folder(self.repository)
        bring_repository(home)
        commit = self.revision
        if not COMMIT.fullmatch(commit):
            ref = home / "refs" / (commit or "main")
            commit = ref.read_text(encoding="utf-8").strip() if ref.is_file() else "-"
        snapshot = home / "snapshots" / commit
        sizes = {
            path.relative_to(snapshot).as_posix(): path.stat().st_size
            for path in snapshot.rglob("*")
            if path.is_file()
        }
        known = recall(self.repository, commit) or Revision(commit, {})
        return Revision(commit, sizes, known.card, known.gated) if sizes else None

    def _require_space(self, revision: Revision, files: tuple[str, ...]) -> None:
        missing = [
            name for name in files if not cached_file(self.repository, name, revision.commit)
        ]
        cache = repository_folder(self.repository).parent
        with explained_disk_errors(cache):
            cache.mkdir(parents=True, exist_ok=True)
        needed = sum(revision.sizes[name] for name in missing)
        require_space(cache, needed, purpose="the download")


def _card(revision: Revision, text: bytes) -> Card:
    # What comes from the cache alone tells nothing but in its text.
    return Card.read(text) if revision.card == Card() else replace(revision.card, text=text)


def promised_sha256(path: Path) -> str:
    """Return the digest a cached file is stored under: large ones lie under their SHA-256."""
    name = path.resolve().name
    return name if _SHA256.fullmatch(name) else ""
