"""The one GGUF that goes into a solofile: as it was fetched, merged, or quantized."""

from dataclasses import dataclass, field

from builder import steps
from builder.gguf.facts import PART, model_name
from builder.gguf.merge import merge
from builder.pack import damaged
from builder.quality.perplexity import PerplexityChange, change_of
from builder.quantize.options import QuantizeOptions
from builder.quantize.quantize import quantized
from builder.sources.source import FetchedModel, ModelFile
from runtime.errors import UnsupportedError
from runtime.manifest import OriginFile, Step


@dataclass(frozen=True, slots=True)
class Weights:
    """The one file.

    Args:
        file: It, by the name its entry gets.
        origin_files: The files of its origin.
        steps: What was done to them.
        perplexity: What that did to the model's perplexity; None where nobody asked.
    """

    file: ModelFile
    origin_files: list[OriginFile]
    steps: list[Step] = field(default_factory=list)
    perplexity: PerplexityChange | None = None


def one_file(fetched: FetchedModel) -> Weights:
    """Return a model's weights as one file; parts are merged in the cache.

    Raises:
        DamagedFileError: A part is cut short, or not what its origin promised.
        DiskError: The cache is full or not writable.
    """
    first = fetched.files[0]
    name = f"{PART.sub('', first.name.removesuffix('.gguf'))}.gguf"
    if len(fetched.files) == 1:
        whole = ModelFile(first.path, name, first.sha256, first.inside)
        return Weights(whole, fetched.origin.files)
    merged = merge([file.path for file in fetched.files])
    parts = _checked_files(fetched, merged.part_sha256s)
    return Weights(
        file=ModelFile(merged.path, name),
        origin_files=fetched.origin.files or parts,
        steps=[steps.merging(parts, name)],
    )


def quantized_file(fetched: FetchedModel, options: QuantizeOptions) -> Weights:
    """Return a model's weights quantized, in the cache.

    Raises:
        DamagedFileError: A file is cut short, or not what its origin promised.
        DiskError: The cache is full or not writable.
        ToolError: llama.cpp refuses the model or the options, or crashed; or the perplexity that
            was asked for cannot be measured.
        UnsupportedError: The weights lie inside another file.
        UsageError: The model is quantized already, or what the type needs is missing.
    """
    require_files(fetched)
    made = quantized([file.path for file in fetched.files], options)
    name = f"{model_name(fetched.files[0].name)}-{options.quantization.name}.gguf"
    parts = _checked_files(fetched, made.part_sha256s)
    return Weights(
        file=ModelFile(made.path, name),
        origin_files=fetched.origin.files or parts,
        steps=[steps.quantizing(parts, name, options)],
        perplexity=change_of([file.path for file in fetched.files], made.path, options),
    )


def require_files(fetched: FetchedModel) -> None:
    """Check that the weights are files of their own, which llama.cpp's quantizer wants.

    Raises:
        UnsupportedError: They lie inside another file.
    """
    for file in fetched.files:
        if file.inside:
            raise UnsupportedError(
                f"The weights inside {file.path} cannot be quantized there.",
                hint="Extract them first: a solofile does it with `extract`, a llamafile with "
                "unzip.",
            )


def _checked_files(fetched: FetchedModel, sha256s: list[str]) -> list[OriginFile]:
    """Return the model's files, once their digests are those their origin promised."""
    parts = []
    for file, sha256 in zip(fetched.files, sha256s, strict=True):
        if file.sha256 not in ("", sha256):
            raise damaged(file.path)
        parts.append(OriginFile(name=file.name, size=file.path.stat().st_size, sha256=sha256))
    return parts
