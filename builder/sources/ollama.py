"""A model in Ollama's store: all of its files are used where they lie there."""

from dataclasses import dataclass

import msgspec

from builder.errors import SourceError
from builder.gguf.header import Header, read_header
from builder.sources.gguf_file import begins_like_gguf
from builder.sources.ollama_name import OllamaName
from builder.sources.ollama_settings import compare_templates, take_parameters
from builder.sources.ollama_store import StoredModel, find_model
from builder.sources.source import Carried, FetchedModel, LicenceFile, ModelFile, ResolvedSource
from builder.sources.taken import Taken
from runtime.errors import UnsupportedError
from runtime.manifest import Origin

# What reads images or sounds, as llama.cpp's projectors name it.
_PROJECTOR_TENSORS = ("v.", "mm.", "a.")
_ANOTHER_PLACE = "Take the same model as one GGUF from the hub: hf:OWNER/REPO."


@dataclass(frozen=True, slots=True)
class OllamaModel:
    """A model by Ollama's name for it."""

    name: OllamaName

    def resolve(self) -> ResolvedSource:
        """Find the manifest.

        Raises:
            SourceError: There is no store, no such model, or its weights are no GGUF.
        """
        model = find_model(self.name)
        weights = _weights(model)
        digest = model.manifest.sha256[:12]
        return ResolvedSource(f"ollama:{model.name} ({digest}) in {model.folder}", weights.name)

    def fetch(self) -> FetchedModel:
        """Return the blobs where they lie, and the settings that stand beside them.

        Raises:
            SourceError: A blob is missing, cut short or damaged, or the weights are no GGUF.
            UnsupportedError: The weights are made for Ollama alone.
        """
        model = find_model(self.name)
        weights = _weights(model)
        header = read_header(weights.path)
        _require_no_projector(header, model)
        projectors = _files(model, "projector", f"mmproj-{model.name.file_stem}")
        taken = _take(model, header)
        return FetchedModel(
            files=[weights],
            origin=Origin(
                kind="ollama",
                repository=model.name.repository,
                revision=model.name.tag,
                files=[model.manifest, *(layer.origin for layer in model.layers)],
            ),
            licences=[
                LicenceFile(f"LICENSE-{number}" if number > 1 else "LICENSE", text)
                for number, text in enumerate(model.read("license"), start=1)
            ],
            adapters=_files(model, "adapter", f"{model.name.file_stem}-adapter"),
            projector=Carried(projectors[0]) if projectors else None,
            settings=taken.settings,
            notes=taken.notes,
        )


def _weights(model: StoredModel) -> ModelFile:
    files = _files(model, "model", model.name.file_stem)
    if len(files) == 1 and begins_like_gguf(files[0].path):
        return files[0]
    if model.of_kind("tensor"):
        what = "as safetensors"
    elif len(files) > 1:
        what = f"in {len(files)} files"
    elif files:
        what = "in another format than GGUF"
    else:
        raise SourceError(f"ollama:{model.name} has no weights in the store.", hint=_ANOTHER_PLACE)
    raise SourceError(f"ollama:{model.name} stores its weights {what}.", hint=_ANOTHER_PLACE)


def _files(model: StoredModel, kind: str, stem: str) -> list[ModelFile]:
    return [
        ModelFile(
            path=model.blob(layer),
            name=f"{stem}-{number}.gguf" if number > 1 else f"{stem}.gguf",
            sha256=layer.sha256,
        )
        for number, layer in enumerate(model.of_kind(kind), start=1)
    ]


def _require_no_projector(header: Header, model: StoredModel) -> None:
    if any(tensor.name.startswith(_PROJECTOR_TENSORS) for tensor in header.tensors):
        raise UnsupportedError(
            f"The weights of ollama:{model.name} hold what reads images in the same file, which "
            "only Ollama loads.",
            hint=_ANOTHER_PLACE,
        )


def _take(model: StoredModel, header: Header) -> Taken:
    parameters: dict[str, object] = {}
    for data in model.read("params"):
        try:
            parameters |= msgspec.json.decode(data, type=dict[str, object])
        except msgspec.DecodeError as error:
            raise SourceError(
                f"The parameters of ollama:{model.name} make no sense: {error}."
            ) from error
    taken = take_parameters(parameters)
    for text in model.texts("system"):
        taken.settings["system_prompt"] = text.strip()
    for text in model.texts("template"):
        note = compare_templates(text, header.text("tokenizer.chat_template"))
        taken.notes.extend([note] if note else [])
    if model.of_kind("messages"):
        taken.notes.append(
            "The messages that Ollama begins each conversation with are not taken over: they have "
            "no counterpart here."
        )
    return taken
