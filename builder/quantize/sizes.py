"""What a model would take on disk in the types that are worth quantizing it to."""

from collections.abc import Sequence
from pathlib import Path

from builder.quantize.options import QuantizeOptions
from builder.quantize.plan import plan_quantizations
from builder.quantize.table import QUANTIZATIONS

# What is not quantized, and may be.
UNQUANTIZED = {"F32", "BF16", "F16"}
# Of each size the best that needs no importance matrix, the largest first.
WORTHWHILE = (
    "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S", "IQ4_XS", "Q3_K_M", "Q3_K_S", "Q2_K",
)  # fmt: skip


def quantized_sizes(parts: Sequence[Path]) -> dict[str, int]:
    """Return the sizes in bytes that a model would have, by type, as llama.cpp's dry run tells.

    Args:
        parts: The GGUF, or all of its parts in order; holes instead of their data will do.

    Raises:
        AppError: What `plan_quantizations` raises.
    """
    choices = [QuantizeOptions(quantization=QUANTIZATIONS[name]) for name in WORTHWHILE]
    plans = plan_quantizations(parts, choices)
    return {
        name: plan.size_bytes + plan.header_bytes
        for name, plan in zip(WORTHWHILE, plans, strict=True)
        if not plan.needs_imatrix
    }
