"""Quantizing a GGUF with llama.cpp's own quantizer; results are kept in the cache by content."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from builder import console
from builder.cache.items import made_once
from builder.child import run_child
from builder.digests import digests_of
from builder.errors import DiskError
from builder.files import atomic_path, require_space, sha256_of
from builder.gguf.header import read_header
from builder.native.llamacpp import SDIST_SHA256
from builder.quality.calibrate import cached_imatrix
from builder.quantize.options import QuantizeOptions
from builder.quantize.plan import FAILED, PROCESS, Plan, plan_quantizations
from builder.quantize.process import QuantizeJob, Step
from runtime.errors import DamagedFileError, UsageError
from runtime.user_folders import user_cache_dir


@dataclass(frozen=True, slots=True)
class Quantized:
    """A quantized model in the cache.

    Args:
        path: The one file.
        part_sha256s: The digest of each part of its source, in order, in hex.
    """

    path: Path
    part_sha256s: list[str]


def quantized(parts: Sequence[Path], options: QuantizeOptions) -> Quantized:
    """Return a model quantized, made on first use.

    The cache knows it by the digests of what went into it, the options and llama.cpp's version.

    Args:
        parts: The GGUF, or all of its parts in order.
        options: How.

    Raises:
        AppError: What `quantize` raises.
    """
    digests = digests_of(parts)
    path = user_cache_dir() / "quantized" / f"{_key(digests, options)}.gguf"
    made_once(path, lambda _lock: _quantize(parts, path, options, digests))
    return Quantized(path, digests)


def _key(digests: list[str], options: QuantizeOptions) -> str:
    """Return what the result depends on; the number of threads and places of files do not count."""
    used = [
        sha256_of(path) if path and path.is_file() else ""
        for path in (options.imatrix, options.calibrate)
    ]
    facts = msgspec.structs.replace(
        options, imatrix=None, calibrate=None, n_threads=0, measures_perplexity=False
    )
    content = [SDIST_SHA256, *digests, *used, msgspec.json.encode(facts).decode()]
    return hashlib.sha256("\n".join(content).encode()).hexdigest()


def quantize(parts: Sequence[Path], output: Path, options: QuantizeOptions) -> Plan:
    """Quantize a GGUF into one file, which takes its name once it is whole.

    Args:
        parts: The GGUF, or all of its parts in order.
        output: The file to write; an old one is replaced.
        options: How.

    Returns:
        What became of it.

    Raises:
        DamagedFileError: A file is cut short.
        DiskError: There is not enough room, or the folder is not writable.
        ToolError: llama.cpp refuses the model or the options, or crashed.
        UsageError: The model is quantized already, or what the type needs is missing.
    """
    return _quantize(parts, output, options, digests_of(parts) if options.calibrate else [])


def _quantize(
    parts: Sequence[Path], output: Path, options: QuantizeOptions, digests: Sequence[str]
) -> Plan:
    if output.exists() and any(output.samefile(part) for part in parts):
        raise UsageError(f"{output} is the model itself.", hint="Name another file to write.")
    (plan,) = plan_quantizations(parts, [options])
    _require_possible(parts[0], plan, options)
    needed = plan.size_bytes + plan.header_bytes
    require_space(output.parent, needed, purpose="the quantized model")
    if options.calibrate:
        imatrix = cached_imatrix(parts, digests, options.calibrate, n_threads=options.n_threads)
        options = msgspec.structs.replace(options, imatrix=imatrix)
        # With an importance matrix llama.cpp chooses some types otherwise.
        (plan,) = plan_quantizations(parts, [options])
    with atomic_path(output) as temporary:
        _run(parts[0], Step(str(temporary.absolute()), options), plan)
        _require_whole(temporary, output, plan)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
    return plan


def _require_possible(source: Path, plan: Plan, options: QuantizeOptions) -> None:
    if plan.requantized and not options.allows_requantize:
        raise UsageError(
            f"{source} is quantized already ({plan.requantized}), and quantizing it again loses "
            "more than quantizing the original once.",
            hint="Name its F16, BF16 or F32, or add --allow-requantize.",
        )
    if plan.needs_imatrix and not options.calibrate:
        raise UsageError(
            f"{options.quantization.name} needs an importance matrix, without one the result would "
            "be garbage.",
            hint="Make one with --calibrate TEXT, give one with --imatrix FILE, or choose a larger "
            "type.",
        )


def _run(source: Path, step: Step, plan: Plan) -> None:
    label = f"Quantizing to {step.options.quantization.name}"
    job = QuantizeJob(str(source.absolute()), [step])
    with console.progress(label, len(plan.types), unit_is_bytes=False) as advance:
        for message in run_child(PROCESS, job, what=FAILED):
            if message.tensor:
                advance(1)


def _require_whole(path: Path, output: Path, plan: Plan) -> None:
    """Check that all was written: llama.cpp does not notice when a disk fills up.

    Raises:
        DiskError: It was not.
    """
    try:
        is_whole = len(read_header(path).tensors) == len(plan.types)
    except DamagedFileError:
        is_whole = False
    if not is_whole:
        raise DiskError(
            f"The disk with {output.parent} did not take all of the quantized model.",
            hint="Free some space and run this again.",
        )
