"""From what a manifest tells of a model's origin to the model itself, as it was fetched then."""

from dataclasses import replace

import msgspec

from builder.convert.options import ConvertOptions
from builder.errors import SourceError
from builder.rebuild.order import RebuildOrder
from builder.sources.checkpoint import CheckpointFolder
from builder.sources.gguf_file import GgufFile, part_names
from builder.sources.parse import parse_source
from builder.sources.source import FetchedModel, Source
from runtime.manifest import Manifest, Step


def source_of(manifest: Manifest, order: RebuildOrder) -> Source:
    """Return where the model comes from: the place that is named, or that of its origin.

    Raises:
        SourceError: Only who made it knows where that was, or what is named is no source.
    """
    step = conversion_of(manifest)
    conversion = ConvertOptions(step.type if step else "", allows_pickle=order.allows_pickle)
    source = parse_source(order.source or _origin_text(manifest, order), conversion)
    if step and isinstance(source, CheckpointFolder):
        # The converter takes the model's name from it.
        return replace(source, name=step.command[1])
    return source


def _origin_text(manifest: Manifest, order: RebuildOrder) -> str:
    """Return the origin as one would write it behind `build`."""
    origin = manifest.origin
    name, revision = origin.repository, origin.revision
    wanted = "" if conversion_of(manifest) else f":{_file_names(manifest)[0]}"
    match origin.kind:
        case "hf":
            return f"hf:{name}{f'@{revision}' if revision else ''}{wanted}"
        case "pypi":
            return f"pypi:{name}=={revision}"
        case "ollama":
            return f"ollama:{name}:{revision}"
        case "lmstudio" | "llamacpp":
            return f"{origin.kind}:{name}{wanted}"
    files = ", ".join(file.name for file in origin.files)
    raise SourceError(
        f"{order.solofile} was made from {name or 'files of its maker'} ({files}), and does not "
        "tell where to find that.",
        hint="Name the file or folder with --source.",
    )


def fetched_as_then(fetched: FetchedModel, source: Source, manifest: Manifest) -> FetchedModel:
    """Return a model with the names its files had, and the origin it had, if it lies elsewhere now.

    Args:
        fetched: The model as it was found.
        source: Where it was found.
        manifest: Of the solofile that it once was made into.
    """
    origin = manifest.origin
    if origin.kind != fetched.origin.kind:
        taken = msgspec.structs.replace(origin, steps=fetched.origin.steps)
        fetched = replace(fetched, origin=taken)
    names = _file_names(manifest)
    if isinstance(source, GgufFile) and len(names) == len(fetched.files):
        pairs = zip(fetched.files, names, strict=True)
        fetched = replace(fetched, files=[replace(file, name=name) for file, name in pairs])
    return fetched


def conversion_of(manifest: Manifest) -> Step | None:
    """Return how a checkpoint was converted; None where a GGUF was fetched."""
    steps = manifest.origin.steps
    return steps[0] if steps and steps[0].kind == "convert" else None


def _file_names(manifest: Manifest) -> list[str]:
    """Return the names of the GGUF, or of its parts, that were fetched."""
    steps = manifest.origin.steps
    if not steps:
        return [manifest.weights.name]
    first = steps[0].command[-2 if steps[0].kind == "merge" else -3]
    return part_names(first)
