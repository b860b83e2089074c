"""A model that llama.cpp's tools downloaded (`llama-server -hf OWNER/REPO`).

Today they keep repositories as the hub's own client does; before, all files lay in one folder,
under names such as `OWNER_REPO_FILE.gguf`.
"""

import difflib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from builder.errors import SourceError
from builder.sources.local_repository import LocalRepository
from builder.sources.source import FetchedModel, ResolvedSource
from runtime.manifest import Origin

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class LlamaCppModel:
    """A repository in llama.cpp's caches.

    Args:
        repository: `OWNER/REPO`, or the name of a file that lies in the older cache.
        wanted: A file or a quantization; empty for the best default.
    """

    repository: str
    wanted: str = ""

    def resolve(self) -> ResolvedSource:
        """Find the files and choose among them.

        Raises:
            SourceError: No cache has it, or more than one model is meant.
        """
        return self._found().resolve(self.wanted)

    def fetch(self) -> FetchedModel:
        """Return the files where they lie.

        Raises:
            SourceError: No cache has it, or more than one model is meant.
        """
        return self._found().fetch(self.wanted)

    def _found(self) -> LocalRepository:
        label = f"llamacpp:{self.repository}"
        for name, snapshot in hub_snapshots().items():
            if name.casefold() == self.repository.casefold():
                files = {
                    path.relative_to(snapshot).as_posix(): path
                    for path in snapshot.rglob("*.gguf")
                    if path.is_file()
                }
                origin = Origin(kind="llamacpp", repository=name, revision=snapshot.name, files=[])
                return LocalRepository(label, files, origin)
        files = self._flat_files()
        if files:
            origin = Origin(kind="llamacpp", repository=self.repository, files=[])
            return LocalRepository(label, files, origin)
        raise self._missing()

    def _flat_files(self) -> dict[str, Path]:
        """Return the files of the older cache, by their names without the repository's."""
        prefix = self.repository.replace("/", "_") + "_"
        return {
            path.name.removeprefix(prefix): path
            for path in flat_files()
            if path.name == self.repository or path.name.startswith(prefix)
        }

    def _missing(self) -> SourceError:
        known = [*hub_snapshots(), *(path.name for path in flat_files())]
        places = f"{_hub_cache()} and {_flat_cache()}"
        near = difflib.get_close_matches(self.repository, known, n=3) or known[:8]
        return SourceError(
            f"llama.cpp's caches hold no {self.repository}.",
            hint=f"They hold {', '.join(near)}."
            if near
            else f"Looked in {places}; hf:{self.repository} fetches it.",
        )


def hub_snapshots() -> dict[str, Path]:
    """Return the newest snapshot of each cached repository with a GGUF, by `OWNER/REPO`."""
    found = {}
    for folder in sorted(_hub_cache().glob("models--*--*")):
        snapshot = _snapshot(folder)
        if snapshot and any(snapshot.rglob("*.gguf")):
            found[folder.name.removeprefix("models--").replace("--", "/")] = snapshot
    return found


def flat_files() -> list[Path]:
    """Return all GGUF files of the older cache."""
    return sorted(_flat_cache().glob("*.gguf"))


def _snapshot(folder: Path) -> Path | None:
    """Return what `main` stands for, or else any other branch."""
    refs = sorted((folder / "refs").glob("*"), key=lambda ref: ref.name != "main")
    for ref in refs:
        commit = ref.read_text(encoding="utf-8").strip() if ref.is_file() else ""
        if _COMMIT.fullmatch(commit) and (folder / "snapshots" / commit).is_dir():
            return folder / "snapshots" / commit
    return None


def _hub_cache() -> Path:
    """Return where llama.cpp keeps repositories; see its `common/hf-cache.cpp`."""
    for name, rest in (
        ("LLAMA_CACHE", ""),
        ("HF_HUB_CACHE", ""),
        ("HUGGINGFACE_HUB_CACHE", ""),
        ("HF_HOME", "hub"),
        ("XDG_CACHE_HOME", "huggingface/hub"),
    ):
        value = os.environ.get(name)
        if value:
            return Path(value) / rest
    return Path.home() / ".cache/huggingface/hub"


def _flat_cache() -> Path:
    """Return where llama.cpp keeps, or kept, single files; see its `common/common.cpp`."""
    value = os.environ.get("LLAMA_CACHE")
    if value:
        return Path(value)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "llama.cpp"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/llama.cpp"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llama.cpp"
