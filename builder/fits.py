"""Choosing the best model of a source that fits into some memory."""

import re

from builder.console import human_bytes
from builder.inspect import Choice, Inspection, inspect_source
from builder.sources.hub import HubModel
from builder.sources.source import Source
from runtime.errors import ResourceError, UsageError
from runtime.machine import memory_total_bytes

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B?", re.IGNORECASE)
_UNITS = " KMGT"


def parse_memory(text: str) -> int:
    """Return the bytes that a text like `8GB` or `7.5GiB` means; `this` is this machine.

    Of this machine's memory, a fifth is left to everything else.

    Raises:
        UsageError: It is no size.
    """
    if text == "this":
        return memory_total_bytes() * 4 // 5
    match = _SIZE.fullmatch(text.strip())
    if not match or not float(match[1]):
        raise UsageError(f"{text} is no size of memory.", hint="Write it as in --fits 8GB.")
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** _UNITS.index(match[2].upper() or " "))


def fitting(source: Source, memory_bytes: int) -> tuple[Source, str]:
    """Return the source with the best of its models that fits, and a sentence that says why.

    The best one is the largest. Memory is that of weights, a context of 4096 tokens and the rest.

    Raises:
        ResourceError: None fits.
        SourceError: The source is not there or not reachable.
        UsageError: The source names one of its models already.
    """
    if isinstance(source, HubModel) and source.wanted:
        raise UsageError(
            f"{source.wanted} is one model already, so --fits has nothing to choose.",
            hint="Leave one of the two out.",
        )
    found = inspect_source(source, 0)
    best = _largest(found, memory_bytes)
    larger = [one for one in found.choices if one.memory > best.memory]
    why = f"Chosen: {best.quantization}, which needs {human_bytes(best.memory)} of "
    why += f"{human_bytes(memory_bytes)}"
    if larger:
        after = min(larger, key=lambda one: one.memory)
        why += f"; the next larger, {after.quantization}, needs {human_bytes(after.memory)}"
    if isinstance(source, HubModel):
        source = HubModel(source.repository, source.revision, best.files[0])
    return source, f"{why}."


def _largest(found: Inspection, memory_bytes: int) -> Choice:
    fit = [one for one in found.choices if one.memory <= memory_bytes]
    if fit:
        return max(fit, key=lambda one: one.memory)
    least = min(found.choices, key=lambda one: one.memory)
    raise ResourceError(
        f"No model of {found.source} fits into {human_bytes(memory_bytes)}: the smallest, "
        f"{least.quantization}, needs {human_bytes(least.memory)}.",
        hint="Choose a smaller model.",
    )
