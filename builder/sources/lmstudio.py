"""A model that LM Studio downloaded: a folder `PUBLISHER/MODEL` with GGUF files."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from builder.errors import SourceError
from builder.sources.local_repository import LocalRepository
from builder.sources.source import FetchedModel, ResolvedSource
from runtime.manifest import Origin


@dataclass(frozen=True, slots=True)
class LmStudioModel:
    """A model as LM Studio lists it.

    Args:
        model: `PUBLISHER/MODEL`.
        wanted: A file or a quantization; empty for the best default.
    """

    model: str
    wanted: str = ""

    def resolve(self) -> ResolvedSource:
        """Find the folder and choose the files.

        Raises:
            SourceError: LM Studio is not here, has no such model, or more than one is meant.
        """
        return self._repository().resolve(self.wanted)

    def fetch(self) -> FetchedModel:
        """Return the files where they lie.

        Raises:
            SourceError: LM Studio is not here, has no such model, or more than one is meant.
        """
        return self._repository().fetch(self.wanted)

    def _repository(self) -> LocalRepository:
        folders = model_folders()
        for name, folder in folders.items():
            if name.casefold() == self.model.casefold():
                files = {
                    path.relative_to(folder).as_posix(): path for path in folder.rglob("*.gguf")
                }
                origin = Origin(kind="lmstudio", repository=name, files=[])
                return LocalRepository(f"lmstudio:{name}", files, origin)
        places = " or ".join(map(str, _places()))
        if not folders:
            raise SourceError(
                f"There are no models of LM Studio's in {places}.",
                hint="Name the GGUF file itself.",
            )
        near = difflib.get_close_matches(self.model, folders, n=3) or sorted(folders)[:8]
        raise SourceError(
            f"LM Studio has no {self.model} in {places}.", hint=f"It has {', '.join(near)}."
        )


def model_folders() -> dict[str, Path]:
    """Return the folders of all models, by `PUBLISHER/MODEL`."""
    return {
        folder.relative_to(place).as_posix(): folder
        for place in reversed(_places())
        for folder in sorted(place.glob("[!.]*/[!.]*"))
        if folder.is_dir()
    }


def _places() -> list[Path]:
    return list(dict.fromkeys(_each_place()))


def _each_place() -> Iterator[Path]:
    pointer = Path.home() / ".lmstudio-home-pointer"
    homes = [Path.home() / ".lmstudio", Path.home() / ".cache/lm-studio"]
    if pointer.is_file():
        homes.insert(0, Path(pointer.read_text(encoding="utf-8").strip()))
    for home in homes:
        yield _chosen_folder(home) or home / "models"


class _Settings(msgspec.Struct, rename="camel"):
    downloads_folder: str = ""


def _chosen_folder(home: Path) -> Path | None:
    """Return the folder that was chosen for models in LM Studio's settings."""
    try:
        data = (home / "settings.json").read_bytes()
        folder = msgspec.json.decode(data, type=_Settings).downloads_folder
    except (OSError, msgspec.DecodeError):
        return None
    return Path(folder) if folder else None
