"""Choosing the best model of a source that fits into some memory."""

from dataclasses import dataclass

import msgspec

from builder.console import human_bytes
from builder.inspect import Choice, Inspection, inspect_source
from builder.quantize.table import Quantization, find_quantization
from builder.size import parse_size
from builder.sources.checkpoint import is_to_convert
from builder.sources.hub import HubModel
from builder.sources.source import Carried, Source
from runtime.errors import ResourceError, UsageError
from runtime.machine import memory_total_bytes


def parse_memory(text: str) -> int:
    """Return the bytes that a text like `8GB` or `7.5GiB` means; `this` is this machine.

    Of this machine's memory, a fifth is left to everything else.

    Raises:
        UsageError: It is no size.
    """
    if text == "this":
        return memory_total_bytes() * 4 // 5
    size = parse_size(text)
    if size is None:
        raise UsageError(f"{text} is no size of memory.", hint="Write it as in --fits 8GB.")
    return size


@dataclass(frozen=True, slots=True)
class Fit:
    """The best that fits.

    Args:
        source: The one model.
        quantization: What it is to be quantized to; None takes it as it is.
        why: A sentence that says why.
    """

    source: Source
    quantization: Quantization | None
    why: str


def fitting(source: Source, memory_bytes: int) -> Fit:
    """Return the best of a source's models that fits, quantized where there are only originals.

    The best one is the largest. Memory is that of weights, a context of 4096 tokens and the rest.

    Raises:
        ResourceError: None fits.
        SourceError: The source is not there or not reachable.
        UsageError: The source names one of its models already, and that is quantized.
    """
    is_checkpoint = is_to_convert(source)
    found = _converted(source) if is_checkpoint else inspect_source(source, 0)
    if isinstance(source, HubModel) and source.wanted and not found.quantizable:
        raise UsageError(
            f"{source.wanted} is one model already, so --fits has nothing to choose.",
            hint="Leave one of the two out.",
        )
    choices = _choices(source, found)
    best = _largest(choices, found.source, memory_bytes)
    larger = [one for one in choices if one.memory > best.memory]
    how = best.quantization
    if not best.files:
        how += f", quantized from {found.choices[0].quantization}"
    why = f"Chosen: {how}, which needs {human_bytes(best.memory)} of {human_bytes(memory_bytes)}"
    if larger:
        after = min(larger, key=lambda one: one.memory)
        why += f"; the next larger, {after.quantization}, needs {human_bytes(after.memory)}"
    if isinstance(source, HubModel) and not is_checkpoint:
        files = best.files or found.choices[0].files
        source = HubModel(source.repository, source.revision, files[0])
    quantization = None if best.files else find_quantization(best.quantization)
    return Fit(source, quantization, f"{why}.")


def _converted(source: Source) -> Inspection:
    """Return what a checkpoint's GGUF holds; a build needs that in any case."""
    found = inspect_source(Carried(source.fetch().files[0]), 0)
    return msgspec.structs.replace(found, source=source.resolve().label)


def _choices(source: Source, found: Inspection) -> list[Choice]:
    """Return what there is to choose from: a model that was named, with what can be made of it."""
    is_named = isinstance(source, HubModel) and source.wanted
    return (found.choices[:1] if is_named else found.choices) + found.quantizable


def _largest(choices: list[Choice], source: str, memory_bytes: int) -> Choice:
    fit = [one for one in choices if one.memory <= memory_bytes]
    if fit:
        return max(fit, key=lambda one: one.memory)
    least = min(choices, key=lambda one: one.memory)
    raise ResourceError(
        f"No model of {source} fits into {human_bytes(memory_bytes)}: the smallest, "
        f"{least.quantization}, needs {human_bytes(least.memory)}.",
        hint="Choose a smaller model.",
    )
