"""Importance matrices made from a text; the cache keeps them by content."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from builder.cache.items import made_once
from builder.child import run_chunks
from builder.file_range import FileRange
from builder.files import atomic_path, sha256_of
from builder.native.llamacpp import SDIST_SHA256, expose_binding
from builder.quality.chunk_job import CalibrateJob
from builder.quality.text_file import read_text
from runtime.user_folders import user_cache_dir

_PROCESS = "builder.quality.calibrate_process"


def calibrate(
    parts: Sequence[Path | FileRange],
    text: Path,
    output: Path,
    *,
    max_chunks: int = 0,
    n_threads: int = 0,
) -> None:
    """Compute an importance matrix, in a file that takes its name once it is whole.

    Args:
        parts: The model, or all of its parts in order.
        text: What it is to read.
        output: The file to write; an old one is replaced.
        max_chunks: How many chunks of the text at most; 0 takes all.
        n_threads: How many threads; 0 takes all physical cores.

    Raises:
        DiskError: The folder is not writable.
        ToolError: The model cannot be loaded or generates no text, the text is too short, or the
            disk is full.
        UsageError: The text is none.
    """
    content = read_text(text)
    expose_binding()
    with atomic_path(output) as temporary:
        job = CalibrateJob(
            parts=[FileRange.of(part).weights() for part in parts],
            text=content,
            max_chunks=max_chunks,
            n_threads=n_threads,
            output=temporary.absolute(),
            dataset=text.name,
        )
        label = f"Calibrating with {text.name}"
        for _ in run_chunks(_PROCESS, job, label=label, what="Calibrating failed"):
            pass


def cached_imatrix(
    parts: Sequence[Path], sha256s: Sequence[str], text: Path, *, n_threads: int = 0
) -> Path:
    """Return an importance matrix in the cache, made on first use.

    The cache knows it by the digests of the model and of the text, and llama.cpp's version.

    Args:
        parts: The model, or all of its parts in order.
        sha256s: The digest of each part, in hex.
        text: What it is to read.
        n_threads: How many threads; 0 takes all physical cores.

    Raises:
        AppError: What `calibrate` raises.
    """
    read_text(text)
    content = [SDIST_SHA256, *sha256s, sha256_of(text)]
    key = hashlib.sha256("\n".join(content).encode()).hexdigest()
    path = user_cache_dir() / "imatrix" / f"{key}.gguf"
    return made_once(path, lambda _lock: calibrate(parts, text, path, n_threads=n_threads))
