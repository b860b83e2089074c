"""A GGUF in a repository of the Hugging Face hub, kept in the hub's own cache.

The client library is imported on use only: it is slow to load and many commands need none of it.
It downloads, resumes, finds the token and honours `HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE`.
"""

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from builder import console
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
from builder.sources.papers import MAX_BYTES, is_licence
from builder.sources.patience import patiently
from builder.sources.quantizations import Variant, choose, variants
from builder.sources.source import FetchedModel, LicenceFile, ModelFile, ResolvedSource
from runtime.manifest import Origin

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

# The library would otherwise ask the hub about, and tell it of, the tools that run it.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Revision:
    """One commit of a repository.

    Args:
        commit: Its full name.
        sizes: Its files with their sizes in bytes.
        card: What the hub tells of its card, without the card's text.
    """

    commit: str
    sizes: dict[str, int]
    card: Card = field(default_factory=Card)

    def paper_names(self) -> list[str]:
        return sorted(
            name
            for name, size in self.sizes.items()
            if (is_licence(name) or name == CARD_NAME) and size <= MAX_BYTES
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """What a commit of a repository holds.

    Args:
        commit: Its full name.
        variants: The whole models in it, the one that is meant first.
        sizes: All files with their sizes in bytes.
        card: What its card tells.
    """

    commit: str
    variants: list[Variant]
    sizes: dict[str, int]
    card: Card


class HubModel:
    """A model in a hub repository.

    Args:
        repository: `OWNER/NAME`.
        revision: A branch, tag or commit; empty for the main branch.
        wanted: A file or a quantization; empty for the best default.
    """

    def __init__(self, repository: str, revision: str = "", wanted: str = "") -> None:
        self.repository = repository
        self.revision = revision
        self.wanted = wanted
        self._found: tuple[_Revision, tuple[str, ...]] | None = None

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
        )

    def fetch(self) -> FetchedModel:
        """Download what the hub's cache lacks, going on where an earlier run stopped.

        Raises:
            SourceError: The hub is unreachable or the download broke off.
            DiskError: The cache is full or not writable.
        """
        revision, files = self._find()
        self._require_space(revision, files)
        self._remember(revision.commit)
        names = [*files, *revision.paper_names()]
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
                kind="hf", repository=self.repository, revision=revision.commit, files=[]
            ),
            licences=[LicenceFile(name, text) for name, text in papers.items()],
            # What comes from the cache alone tells nothing but in its text.
            card=Card.read(text) if revision.card == Card() else replace(revision.card, text=text),
        )

    def listing(self) -> Listing:
        """List all models beside the one that is meant, without downloading any.

        Raises:
            SourceError: The repository, revision or file is not there, closed or unreachable.
        """
        revision, files = self._find()
        whole = [one for one in variants(revision.sizes) if not one.missing]
        whole.sort(key=lambda one: one.files != files)
        return Listing(revision.commit, whole, revision.sizes, revision.card)

    def _find(self) -> tuple[_Revision, tuple[str, ...]]:
        if self._found is None:
            revision = self._cached_exactly() or self._ask_hub()
            chosen = choose(variants(revision.sizes), self.wanted, f"hf:{self.repository}")
            self._found = revision, chosen.files
        return self._found

    def _cached_exactly(self) -> _Revision | None:
        """Return the revision without asking the hub, where the cache holds just what is meant."""
        if not _COMMIT.fullmatch(self.revision) or not self.wanted.endswith(".gguf"):
            return None
        revision = self._in_cache()
        path = PurePosixPath(self.wanted)
        needed = [str(path.with_name(name)) for name in part_names(path.name)]
        return revision if revision and all(name in revision.sizes for name in needed) else None

    def _ask_hub(self) -> _Revision:
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
        return _revision_of(info)

    def _in_cache(self) -> _Revision | None:
        """Return what the hub's cache holds of the wanted revision."""
        home = repository_folder(self.repository)
        commit = self.revision
        if not _COMMIT.fullmatch(commit):
            ref = home / "refs" / (commit or "main")
            commit = ref.read_text(encoding="utf-8").strip() if ref.is_file() else "-"
        snapshot = home / "snapshots" / commit
        sizes = {
            path.relative_to(snapshot).as_posix(): path.stat().st_size
            for path in snapshot.rglob("*")
            if path.is_file()
        }
        return _Revision(commit, sizes) if sizes else None

    def _require_space(self, revision: _Revision, files: tuple[str, ...]) -> None:
        missing = [
            name for name in files if not cached_file(self.repository, name, revision.commit)
        ]
        cache = repository_folder(self.repository).parent
        with explained_disk_errors(cache):
            cache.mkdir(parents=True, exist_ok=True)
        needed = sum(revision.sizes[name] for name in missing)
        require_space(cache, needed, purpose="the download")

    def _remember(self, commit: str) -> None:
        """Note in the hub's cache which commit a branch stood for, to find it offline."""
        ref = repository_folder(self.repository) / "refs" / (self.revision or "main")
        if not _COMMIT.fullmatch(self.revision):
            with explained_disk_errors(ref):
                ref.parent.mkdir(parents=True, exist_ok=True)
                ref.write_text(commit, encoding="utf-8")


def _revision_of(info: "ModelInfo") -> _Revision:
    tags = [tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")]
    told = vars(info.card_data) if info.card_data else {}
    return _Revision(
        commit=info.sha or "",
        sizes={sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []},
        card=Card.of({"license": tags} | {name: value for name, value in told.items() if value}),
    )


def promised_sha256(path: Path) -> str:
    """Return the digest a cached file is stored under: large ones lie under their SHA-256."""
    name = path.resolve().name
    return name if _SHA256.fullmatch(name) else ""
