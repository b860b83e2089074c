"""How a model is to be quantized."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from builder.quantize.table import Quantization, find_tensor_type
from runtime.errors import UsageError


class TensorType(msgspec.Struct, frozen=True):
    """A type for all tensors with a name in which llama.cpp finds a regular expression."""

    pattern: str
    type_id: int


class QuantizeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What llama-quantize is told, too.

    Args:
        quantization: What most tensors become.
        imatrix: An importance matrix, in llama.cpp's GGUF or older format.
        calibrate: A text to compute one from.
        tensor_types: Types for some tensors, the first that fits.
        output_tensor_type: A tensor type's number for the output; None leaves the choice.
        token_embedding_type: The same for the token embeddings.
        is_pure: Give all tensors the same type, none more bits than others.
        leaves_output: Leave the output as it is.
        allows_requantize: Quantize what is quantized already.
        n_threads: How many threads; 0 takes all.
        measures_perplexity: Measure what it does to the model's perplexity.
    """

    quantization: Quantization
    imatrix: Path | None = None
    calibrate: Path | None = None
    tensor_types: tuple[TensorType, ...] = ()
    output_tensor_type: int | None = None
    token_embedding_type: int | None = None
    is_pure: bool = False
    leaves_output: bool = False
    allows_requantize: bool = False
    n_threads: int = 0
    measures_perplexity: bool = False


def parse_tensor_types(assignments: Iterable[str]) -> tuple[TensorType, ...]:
    """Return the overrides in `NAME=TYPE` texts.

    Raises:
        UsageError: A text is no assignment, or names no type.
    """
    found = []
    for assignment in assignments:
        # A pattern may hold an equals sign, as in a lookahead; a type cannot.
        pattern, equals, kind = assignment.rpartition("=")
        if not equals or not pattern:
            raise UsageError(
                f"--tensor-type {assignment} gives no tensor a type.",
                hint="Write it as in --tensor-type attn_v=Q6_K.",
            )
        found.append(TensorType(pattern.lower(), find_tensor_type(kind)))
    return tuple(found)
