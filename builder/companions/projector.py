"""The projector that goes into a solofile beside its model, which sees by it."""

from pathlib import Path

from builder.companions.companion import Companion, fetch_companion
from builder.file_range import FileRange
from builder.gguf.header import read_header
from builder.sources.source import Source
from runtime.errors import UnsupportedError


def fetch_projector(source: Source, *, target: Path | FileRange) -> Companion:
    """Bring a projector to this machine and check that it can be this model's.

    Args:
        source: Where it comes from.
        target: The model that is to see by it, or its first part.

    Raises:
        SourceError: It could not be had, or is split.
        DamagedFileError: It is no GGUF, or cut short.
        UnsupportedError: It is no projector that reads images, or for another model.
    """
    projector = fetch_companion(source, "projector")
    data = projector.file.data
    header, model = read_header(data), read_header(target)
    if header.text("general.architecture") != "clip":
        raise UnsupportedError(
            f"{data} is no projector.", hint="It comes beside the model, as mmproj-....gguf."
        )
    if not header.integer("clip.has_vision_encoder"):
        raise UnsupportedError(f"The projector {data} reads no images.")
    # Old converters wrote another number there, and not this type.
    is_told = header.text("general.type") == "mmproj"
    found = header.integer("clip.vision.projection_dim")
    expected = model.integer(f"{model.text('general.architecture')}.embedding_length")
    if is_told and found and found != expected:
        raise UnsupportedError(
            f"The projector {data} makes embeddings of {found} numbers, and the model's have "
            f"{expected}.",
            hint="Name the one that belongs to this model.",
        )
    return projector
