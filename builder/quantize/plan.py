"""What a quantization would give: every tensor's type, as llama.cpp chooses it, and the size."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from builder.child import run_child
from builder.gguf.header import Header, Tensor, read_header
from builder.gguf.tables import TENSOR_TYPES
from builder.native.llamacpp import expose_binding
from builder.quantize.imatrix import read_imatrix
from builder.quantize.options import QuantizeOptions
from builder.quantize.process import QuantizeJob, Step

PROCESS = "builder.quantize.process"
FAILED = "Quantizing failed"

_KINDS = {kind.name: kind for kind in TENSOR_TYPES.values()}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a quantization would give.

    Args:
        types: By tensor, its type's name.
        size_bytes: What all tensors take.
        num_elements: How many numbers they hold.
        header_bytes: What stands before them, about.
        requantized: The types of tensors that are quantized already and would be again.
        needs_imatrix: Whether llama.cpp refuses without an importance matrix.
    """

    types: dict[str, str]
    size_bytes: int
    num_elements: int
    header_bytes: int
    requantized: str
    needs_imatrix: bool

    @property
    def bits_per_weight(self) -> float:
        """What an element takes on average."""
        return 8 * self.size_bytes / self.num_elements


def plan_quantizations(parts: Sequence[Path], choices: Sequence[QuantizeOptions]) -> list[Plan]:
    """Find out what every tensor would become; only the headers are read.

    Args:
        parts: The GGUF, or all of its parts in order; holes instead of their data will do.
        choices: How it could be quantized.

    Returns:
        A plan for each choice.

    Raises:
        DamagedFileError: A file is no GGUF, or cut short.
        ToolError: llama.cpp refuses the model or the options.
        UsageError: An importance matrix is not there.
    """
    headers = [read_header(part) for part in parts]
    for options in choices:
        if options.imatrix:
            read_imatrix(options.imatrix)
    expose_binding()
    job = QuantizeJob(str(parts[0].absolute()), [Step("", options) for options in choices])
    plans = []
    types: dict[str, str] = {}
    needs_imatrix = False
    for message in run_child(PROCESS, job, what=FAILED):
        needs_imatrix = needs_imatrix or message.needs_imatrix
        if message.tensor:
            types[message.tensor] = message.kind.upper()
        elif message.is_next:
            plans.append(_plan(headers, types, needs_imatrix=needs_imatrix))
            types, needs_imatrix = {}, False
    return plans


def _plan(headers: list[Header], types: dict[str, str], *, needs_imatrix: bool) -> Plan:
    tensors = {tensor.name: tensor for header in headers for tensor in header.tensors}
    return Plan(
        types=types,
        size_bytes=sum(_size(tensors[name], kind) for name, kind in types.items()),
        num_elements=sum(tensor.num_elements for tensor in tensors.values()),
        header_bytes=sum(header.data_offset for header in headers),
        requantized=", ".join(sorted(_requantized(tensors, types))),
        needs_imatrix=needs_imatrix,
    )


def _size(tensor: Tensor, kind: str) -> int:
    stored = _KINDS[kind]
    return tensor.num_elements // stored.block_elements * stored.block_bytes


def _requantized(tensors: dict[str, Tensor], types: dict[str, str]) -> set[str]:
    found = set()
    for name, kind in types.items():
        stored = TENSOR_TYPES[tensors[name].type_id]
        if stored.block_elements > 1 and stored.name != kind:
            found.add(stored.name)
    return found
