"""Ollama's store on this machine: manifests by name, blobs by digest. It is only read."""

import difflib
import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from builder.errors import SourceError
from builder.sources.ollama_name import OllamaName
from runtime.manifest import OriginFile

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_MAX_TEXT_BYTES = 4 << 20
_MAX_LISTED = 8


class Layer(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a model: what it is, the digest of its blob, and its size in bytes."""

    media_type: str
    digest: str
    size: int

    @property
    def kind(self) -> str:
        """What it is, in one word, such as `model`, `system` or `params`."""
        return self.media_type.partition(";")[0].rpartition(".")[2].strip()

    @property
    def sha256(self) -> str:
        """Its digest in hex."""
        return self.digest.partition(":")[2]

    @property
    def origin(self) -> OriginFile:
        """Its facts for a manifest."""
        return OriginFile(name=self.kind, size=self.size, sha256=self.sha256)


class _Manifest(msgspec.Struct, frozen=True):
    layers: list[Layer]


@dataclass(frozen=True, slots=True)
class OllamaStore:
    """A folder with `manifests` and `blobs`."""

    folder: Path

    def names(self) -> list[OllamaName]:
        """Return all models in it, sorted."""
        manifests = self.folder / "manifests"
        found = (path.relative_to(manifests).parts for path in manifests.glob("*/*/*/[!.]*"))
        return sorted(OllamaName(*parts) for parts in found)

    def find(self, name: OllamaName) -> "StoredModel | None":
        """Return a model, None where the store has none of that name in any case.

        Raises:
            SourceError: Its manifest cannot be read or makes no sense.
        """
        wanted = str(name).casefold()
        for known in self.names():
            if str(known).casefold() == wanted:
                return self._read(known)
        return None

    def _read(self, name: OllamaName) -> "StoredModel":
        path = self.folder / "manifests" / name.path
        try:
            data = path.read_bytes()
            layers = msgspec.json.decode(data, type=_Manifest).layers
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}.") from error
        except msgspec.DecodeError as error:
            raise SourceError(f"Ollama's manifest {path} makes no sense: {error}.") from error
        for layer in layers:
            if not _DIGEST.fullmatch(layer.digest):
                raise SourceError(
                    f"Ollama's manifest {path} names a blob by {layer.digest}, which is no digest."
                )
        digest = hashlib.sha256(data).hexdigest()
        manifest = OriginFile(name="manifest", size=len(data), sha256=digest)
        return StoredModel(self.folder, name, manifest, layers)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model in a store.

    Args:
        folder: The store's.
        name: Its full name.
        manifest: Its manifest's facts.
        layers: Its parts.
    """

    folder: Path
    name: OllamaName
    manifest: OriginFile
    layers: list[Layer]

    def of_kind(self, kind: str) -> list[Layer]:
        """Return its layers of a kind."""
        return [layer for layer in self.layers if layer.kind == kind]

    def blob(self, layer: Layer) -> Path:
        """Return where a layer lies, whole.

        Raises:
            SourceError: It is missing or cut short.
        """
        path = self.folder / "blobs" / layer.digest.replace(":", "-")
        try:
            size = path.stat().st_size
        except OSError as error:
            raise SourceError(
                f"Ollama's store in {self.folder} lacks the {layer.kind} of {self.name}, "
                f"{path.name}.",
                hint=f"Fetch it with `ollama pull {self.name}`.",
            ) from error
        if size != layer.size:
            raise self._damaged(layer, path, f"it has {size:,} of {layer.size:,} bytes")
        return path

    def read(self, kind: str) -> list[bytes]:
        """Return its small layers of a kind, checked against their digests.

        Raises:
            SourceError: One is missing, cut short, damaged, or far too large.
        """
        return [self._data(layer) for layer in self.of_kind(kind)]

    def texts(self, kind: str) -> list[str]:
        """Return the same as text."""
        return [data.decode("utf-8", errors="replace") for data in self.read(kind)]

    def _data(self, layer: Layer) -> bytes:
        path = self.blob(layer)
        if layer.size > _MAX_TEXT_BYTES:
            raise self._damaged(layer, path, "it is too large to be one")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != layer.sha256:
            raise self._damaged(layer, path, "its digest is another")
        return data

    def _damaged(self, layer: Layer, path: Path, why: str) -> SourceError:
        return SourceError(
            f"The {layer.kind} of {self.name}, {path}, is damaged: {why}.",
            hint=f"Delete it and fetch it again with `ollama pull {self.name}`.",
        )


def find_stores() -> list[OllamaStore]:
    """Return the stores there are: the one `OLLAMA_MODELS` names, or those in the usual places."""
    # The service's folder may be closed to others, and then even asking what it is fails.
    return [OllamaStore(place) for place in _places() if os.access(place / "manifests", os.R_OK)]


def find_model(name: OllamaName) -> StoredModel:
    """Return a model of the first store that has it.

    Raises:
        SourceError: There is no store, or none with that model, or its manifest is damaged.
    """
    stores = find_stores()
    if not stores:
        places = " or ".join(map(str, _places()))
        raise SourceError(
            f"There is no store of Ollama's in {places}, or it may not be read.",
            hint="Set OLLAMA_MODELS to the folder with its manifests and blobs.",
        )
    for store in stores:
        model = store.find(name)
        if model:
            return model
    folders = " and ".join(str(store.folder) for store in stores)
    names = [str(known) for store in stores for known in store.names()]
    raise SourceError(f"Ollama's store in {folders} holds no {name}.", hint=_near(name, names))


def _places() -> list[Path]:
    named = os.environ.get("OLLAMA_MODELS")
    if named:
        return [Path(named).expanduser()]
    places = [Path.home() / ".ollama/models"]
    if sys.platform == "linux":
        # Where Ollama's installer puts the home of the user that its service runs as.
        places.append(Path("/usr/share/ollama/.ollama/models"))
    return places


def _near(name: OllamaName, names: list[str]) -> str:
    if not names:
        return f"It is empty; fetch one with `ollama pull {name}`."
    near = difflib.get_close_matches(str(name), names, n=3) or [
        known for known in names if known.partition(":")[0] == str(name).partition(":")[0]
    ]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return f"It holds {', '.join(names[:_MAX_LISTED])}{more}."
