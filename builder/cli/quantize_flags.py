"""The flags that say how to quantize, with llama-quantize's names, for the commands that do."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from builder.quantize.flags import QuantizeFlags

_FILE = click.Path(path_type=Path)
_FLAGS = [
    click.option("--imatrix", type=_FILE, metavar="FILE", help="importance matrix to use"),
    click.option("--calibrate", type=_FILE, metavar="TEXT",
                 help="text to compute an importance matrix from"),
    click.option("--tensor-type", "tensor_types", multiple=True, metavar="NAME=TYPE",
                 help="type for tensors with that in their name, a regular expression"),
    click.option("--output-tensor-type", metavar="TYPE", help="type of the output tensor"),
    click.option("--token-embedding-type", metavar="TYPE", help="type of the token embeddings"),
    click.option("--pure", "is_pure", is_flag=True, help="the same type for all tensors"),
    click.option("--leave-output-tensor", "leaves_output", is_flag=True,
                 help="do not quantize the output tensor"),
    click.option("--allow-requantize", "allows_requantize", is_flag=True,
                 help="quantize what is quantized already"),
    click.option("-t", "--threads", "n_threads", type=click.IntRange(min=1), default=None,
                 help="threads that quantize; all by default"),
    click.option("--perplexity", "measures_perplexity", is_flag=True,
                 help="measure what it does to the model, which takes a while"),
]  # fmt: skip


def quantize_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags, as its parameter `flags`."""

    @functools.wraps(command)
    def run(**options: Any) -> None:
        given = {name: options.pop(name) for name in QuantizeFlags.__struct_fields__}
        command(flags=QuantizeFlags(**given), **options)

    return quantize_options(run)


def quantize_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags, each as a parameter."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command
