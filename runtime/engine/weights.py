"""Where a model's weights lie, and how they come into memory."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from runtime.engine.offload.options import OffloadOptions


class Weights(msgspec.Struct, frozen=True):
    """Where a GGUF lies.

    Args:
        path: The file it is, or is inside of.
        offset: Its first byte, in bytes from the file's start.
        size: Its length in bytes.
    """

    path: Path
    offset: int
    size: int


class LoadOptions(msgspec.Struct, frozen=True):
    """How the weights come into memory.

    Args:
        repack: Copy weights into the layout that is fastest for this processor, where one
            exists; those are then no longer shared with other processes.
        mmap: Map them out of their file, instead of reading them into memory of our own.
        mlock: Keep them from being swapped out, where the system allows that.
        offload: What of them goes to GPUs; None leaves GPUs alone.
    """

    repack: bool = False
    mmap: bool = True
    mlock: bool = False
    offload: "OffloadOptions | None" = None
