"""The flags of commands that compute a text with a model, in chunks."""

from collections.abc import Callable
from typing import Any

import click


def chunk_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags, as its parameters `max_chunks` and `n_threads`; None is all."""
    command = click.option(
        "-t", "--threads", "n_threads", type=click.IntRange(min=1), default=None,
        help="threads that compute; all physical cores by default",
    )(command)  # fmt: skip
    return click.option(
        "--chunks", "max_chunks", type=click.IntRange(min=1), default=None,
        help="chunks of 512 tokens to read; all by default",
    )(command)  # fmt: skip
