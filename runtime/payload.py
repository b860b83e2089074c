"""The model this run serves: the one inside the running solofile, or another file's."""

import hashlib
import os
from pathlib import Path, PurePath

import msgspec

from runtime.branding import ICON_TYPES, Branding, Icon
from runtime.container import Container
from runtime.engine.adapters import AdapterFile
from runtime.engine.baked_prompt import BakedPrompt
from runtime.engine.weights import Weights
from runtime.errors import DamagedFileError, UsageError
from runtime.manifest import EntryFacts, Manifest, read_manifest
from runtime.sidecar import open_sidecar
from runtime.zip_records import COPY_AGAIN, Entry, ends_with_directory

_GGUF_MAGIC = b"GGUF"
_NUM_SAMPLES = 64
_SAMPLE_BYTES = 4096


class Payload(msgspec.Struct, frozen=True):
    """A model and what is known of it.

    Args:
        path: The solofile or GGUF.
        weights: Where the GGUF lies.
        manifest: What the solofile says of itself; None for a plain GGUF.
        adapters: The LoRA adapters inside the solofile.
        draft: Where the draft model inside the solofile lies, if it has one.
        projector: Where the projector inside the solofile lies, if it has one.
        prompts: The computed prompts inside the solofile.
    """

    path: Path
    weights: Weights
    manifest: Manifest | None
    adapters: tuple[AdapterFile, ...] = ()
    draft: Weights | None = None
    projector: Weights | None = None
    prompts: tuple[BakedPrompt, ...] = ()

    @property
    def name(self) -> str:
        """The model's name as shown to people and clients."""
        return self.manifest.name if self.manifest else self.path.stem

    @property
    def branding(self) -> Branding:
        """How it presents itself; a plain GGUF leaves all of that open."""
        return self.manifest.branding if self.manifest else Branding()

    def read_icon(self) -> Icon | None:
        """Return the icon inside the solofile, if it has one.

        Raises:
            DamagedFileError: It was altered, or is of a kind that is none.
        """
        facts = self.manifest.icon if self.manifest else None
        if facts is None:
            return None
        media_type = ICON_TYPES.get(PurePath(facts.name).suffix)
        if media_type is None:
            raise DamagedFileError(f"{facts.name} inside {self.path} is no icon.", hint=COPY_AGAIN)
        with Container.open(self.path) as container:
            return Icon(media_type, container.read(facts.name))

    def weights_digest(self) -> str:
        """Return what tells these weights from others.

        For a plain GGUF that is no digest of all of it, which would take long, but of its size,
        its time, and samples from all over it.
        """
        if self.manifest:
            return self.manifest.weights.sha256
        facts = self.path.stat()
        digest = hashlib.sha256(f"{facts.st_size} {facts.st_mtime_ns}".encode())
        with self.path.open("rb") as file:
            for number in range(_NUM_SAMPLES):
                file.seek(facts.st_size * number // _NUM_SAMPLES)
                digest.update(file.read(_SAMPLE_BYTES))
        return digest.hexdigest()

    @property
    def pooling(self) -> str:
        """How its embeddings are made, if the solofile says that it was made for those."""
        return self.manifest.model.pooling if self.manifest else ""

    @property
    def gains_from_repacking(self) -> bool:
        """Whether its weights are of the one kind that repacked is faster in every way."""
        return self.manifest is not None and self.manifest.model.quantization == "Q4_0"


def own_path() -> Path | None:
    """Return the solofile that was started, as the launcher tells; None when run from source."""
    path = os.environ.get("SOLOFILE_PATH")
    return Path(path) if path else None


def find_payload(model: Path | None) -> Payload:
    """Return the model to run.

    Args:
        model: A GGUF or solofile to use; None for the one inside the running solofile.

    Raises:
        UsageError: There is no such file, or no model was named where one must be.
        DamagedFileError: The file is neither a GGUF nor a sound solofile.
        UnsupportedError: The solofile's format is newer than this version reads.
    """
    path = model or own_path()
    if path is None:
        raise UsageError("No model is inside this program.", hint="Name one with -m FILE.gguf.")
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    if model is None or ends_with_directory(path):
        return _inside_container(path)
    with path.open("rb") as file:
        if file.read(len(_GGUF_MAGIC)) != _GGUF_MAGIC:
            raise DamagedFileError(f"{path} is neither a GGUF file nor a whole solofile.")
    return Payload(path, Weights(path, 0, path.stat().st_size), None)


def _inside_container(path: Path) -> Payload:
    with Container.open(path) as container:
        manifest = read_manifest(container)
        weights = _own_weights(container, manifest)
        adapters = tuple(
            AdapterFile(path, facts.name, _sound_entry(container, facts).offset)
            for facts in manifest.adapters
        )
        draft = _weights(container, manifest.draft) if manifest.draft else None
        projector = _weights(container, manifest.projector) if manifest.projector else None
        entries = [_sound_entry(container, facts) for facts in manifest.prompts]
        prompts = tuple(BakedPrompt(path, entry.offset, entry.size) for entry in entries)
        return Payload(path, weights, manifest, adapters, draft, projector, prompts)


def _own_weights(container: Container, manifest: Manifest) -> Weights:
    if manifest.sidecar is None:
        return _weights(container, manifest.weights)
    with open_sidecar(container.path, manifest.sidecar) as beside:
        return _weights(beside, manifest.weights)


def _weights(container: Container, facts: EntryFacts) -> Weights:
    entry = _sound_entry(container, facts)
    return Weights(container.path, entry.offset, entry.size)


def _sound_entry(container: Container, facts: EntryFacts) -> Entry:
    entry = container.entry(facts.name)
    header = b"".join(container.range(entry.header_offset, entry.offset))
    if header != entry.local_header() or entry.size != facts.size:
        raise DamagedFileError(f"{facts.name} inside {container.path} is damaged.", hint=COPY_AGAIN)
    return entry
