"""The draft model that goes into a solofile beside its model."""

from pathlib import Path

from builder.companions.companion import Companion, fetch_companion
from builder.file_range import FileRange
from builder.gguf.facts import read_facts
from builder.gguf.header import read_header
from builder.sources.source import Source
from runtime.errors import UnsupportedError

_TOKENIZER = "tokenizer.ggml.model"


def fetch_draft(source: Source, *, target: Path | FileRange) -> Companion:
    """Bring a draft model to this machine and check that it can be this model's.

    Whether every token is the same is found when it is loaded, with the smoke test at the latest.

    Args:
        source: Where it comes from.
        target: The model whose tokens it is to guess, or its first part.

    Raises:
        SourceError: It could not be had, or is split.
        DamagedFileError: It is no GGUF, or cut short.
        UnsupportedError: llama.cpp cannot load it, or it has another kind of tokenizer.
    """
    draft = fetch_companion(source, "draft model")
    file = draft.file
    read_facts([file.data], name=file.name)
    found, expected = (read_header(data).text(_TOKENIZER) for data in (file.data, target))
    if found != expected:
        raise UnsupportedError(
            f"The draft model {file.data} has a tokenizer of the kind {found or '(none)'}, and the "
            f"model's is {expected or '(none)'}.",
            hint="Name a smaller model of the same family.",
        )
    return draft
