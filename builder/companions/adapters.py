"""LoRA adapters that go into a solofile beside its model."""

from collections import Counter
from collections.abc import Sequence as ReadOnlyList
from dataclasses import dataclass
from pathlib import PurePath

from builder.companions.companion import fetch_companion
from builder.errors import SourceError
from builder.gguf.header import read_header
from builder.sources.source import LicenceFile, ModelFile, Source
from runtime.errors import UnsupportedError
from runtime.manifest import Terms


@dataclass(frozen=True, slots=True)
class FetchedAdapters:
    """Adapters on this machine, in the order of their numbers, their licences and terms."""

    files: list[ModelFile]
    licences: list[LicenceFile]
    terms: list[Terms]


def fetch_adapters(sources: ReadOnlyList[Source], *, architecture: str) -> FetchedAdapters:
    """Bring adapters to this machine and check that they can be this model's.

    Args:
        sources: Where they come from.
        architecture: The model's, which theirs must be.

    Raises:
        SourceError: One could not be had, is split, or two have the same name.
        DamagedFileError: A file is no GGUF.
        UnsupportedError: A file is no LoRA adapter, or for another architecture.
    """
    files: list[ModelFile] = []
    licences: list[LicenceFile] = []
    terms: list[Terms] = []
    for source in sources:
        adapter = fetch_companion(source, "adapter")
        _check(adapter.file, architecture)
        files.append(adapter.file)
        licences += adapter.licences
        terms += adapter.terms
    for name, count in Counter(PurePath(file.name).name for file in files).items():
        if count > 1:
            raise SourceError(f"{count} adapters are called {name}.", hint="Rename all but one.")
    return FetchedAdapters(files, licences, terms)


def _check(file: ModelFile, architecture: str) -> None:
    header = read_header(file.data)
    if (header.text("general.type"), header.text("adapter.type")) != ("adapter", "lora"):
        raise UnsupportedError(
            f"{file.data} is no LoRA adapter.", hint="Convert it with llama.cpp's scripts first."
        )
    found = header.text("general.architecture")
    if found != architecture:
        raise UnsupportedError(
            f"The adapter {file.data} is for the architecture {found}, and the model's is "
            f"{architecture}.",
            hint="Name one that was trained on this model.",
        )
