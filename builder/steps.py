"""What was done to make weights, as a manifest tells it: with the command that does it again."""

from collections.abc import Iterator
from pathlib import Path

from builder.files import sha256_of
from builder.gguf.tables import TENSOR_TYPES
from builder.native.llamacpp import LLAMA_CPP_COMMIT
from builder.quantize.options import QuantizeOptions
from runtime.manifest import OriginFile, Step


def converting(files: list[OriginFile], command: list[str], outtype: str) -> Step:
    """Return what converting a checkpoint was; the command gives the same file, byte by byte.

    Args:
        files: The checkpoint's files.
        command: Which of llama.cpp's scripts did it, and what it was told.
        outtype: What the matrices were to become.
    """
    return Step(
        kind="convert",
        command=command,
        type=outtype,
        inputs=files,
        llama_cpp_commit=LLAMA_CPP_COMMIT,
    )


def merging(parts: list[OriginFile], output: str) -> Step:
    """Return what merging the parts of a split model was.

    The command gives the same tensors; what it writes of the split into the header is its own.

    Args:
        parts: The parts, in order.
        output: The name of the one file.
    """
    command = ["llama-gguf-split", "--merge", parts[0].name, output]
    return Step(kind="merge", command=command, inputs=parts)


def quantizing(parts: list[OriginFile], output: str, options: QuantizeOptions) -> Step:
    """Return what quantizing a model was; the command gives the same file, byte by byte.

    Args:
        parts: The model's files, in order.
        output: The name of the quantized file.
        options: How it was quantized.

    Raises:
        OSError: The importance matrix, or the text for one, cannot be read any more.
    """
    flags = list(_flags(options))
    files = [parts[0].name, output, options.quantization.name]
    return Step(
        kind="quantize",
        command=["solofile", "quantize", *flags, *files],
        type=options.quantization.name,
        tensor_types={one.pattern: _type(one.type_id) for one in options.tensor_types},
        inputs=parts + [_facts(path) for path in (options.imatrix, options.calibrate) if path],
        llama_cpp_commit=LLAMA_CPP_COMMIT,
    )


def _flags(options: QuantizeOptions) -> Iterator[str]:
    if options.imatrix:
        yield from ("--imatrix", options.imatrix.name)
    if options.calibrate:
        yield from ("--calibrate", options.calibrate.name)
    for one in options.tensor_types:
        yield from ("--tensor-type", f"{one.pattern}={_type(one.type_id)}")
    if options.output_tensor_type is not None:
        yield from ("--output-tensor-type", _type(options.output_tensor_type))
    if options.token_embedding_type is not None:
        yield from ("--token-embedding-type", _type(options.token_embedding_type))
    for flag, is_set in (
        ("--pure", options.is_pure),
        ("--leave-output-tensor", options.leaves_output),
        ("--allow-requantize", options.allows_requantize),
    ):
        if is_set:
            yield flag


def _type(type_id: int) -> str:
    return TENSOR_TYPES[type_id].name


def _facts(path: Path) -> OriginFile:
    return OriginFile(name=path.name, size=path.stat().st_size, sha256=sha256_of(path))
