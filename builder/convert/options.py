"""How a checkpoint is converted."""

from pathlib import Path

import msgspec

OUTTYPES = ("auto", "f32", "f16", "bf16", "q8_0")


class ConvertOptions(msgspec.Struct, frozen=True):
    """How to convert.

    Args:
        outtype: What the matrices become, one of `OUTTYPES`; empty takes `auto` for a model, which
            is the 16-bit type nearest to the checkpoint's, and `f32` for an adapter.
        is_mmproj: Whether the projector is meant, not the model.
        base: The checkpoint an adapter was trained on; None where the adapter tells it.
        allows_pickle: Whether weights may be read that are no safetensors.
    """

    outtype: str = ""
    is_mmproj: bool = False
    base: Path | None = None
    allows_pickle: bool = False
