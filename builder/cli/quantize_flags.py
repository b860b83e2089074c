"""The flags that say how to quantize, with llama-quantize's names, for the commands that do."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from builder.quality.text_file import read_text
from builder.quantize.options import QuantizeOptions, parse_tensor_types
from builder.quantize.table import find_quantization, find_tensor_type
from runtime.errors import UsageError

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


class QuantizeFlags(msgspec.Struct, frozen=True):
    """The flags as they were given."""

    imatrix: Path | None = None
    calibrate: Path | None = None
    tensor_types: tuple[str, ...] = ()
    output_tensor_type: str | None = None
    token_embedding_type: str | None = None
    is_pure: bool = False
    leaves_output: bool = False
    allows_requantize: bool = False
    n_threads: int | None = None
    measures_perplexity: bool = False

    def options(self, quantization: str) -> QuantizeOptions:
        """Return what they say about quantizing to a type.

        Raises:
            UsageError: A type, an override or the text is none, or two importance matrices are
                asked for.
        """
        if self.imatrix and self.calibrate:
            raise UsageError(
                "--imatrix names an importance matrix and --calibrate makes one.",
                hint="Leave one of them out.",
            )
        if self.calibrate:
            read_text(self.calibrate)
        output, embedding = self.output_tensor_type, self.token_embedding_type
        return QuantizeOptions(
            quantization=find_quantization(quantization),
            imatrix=self.imatrix,
            calibrate=self.calibrate,
            tensor_types=parse_tensor_types(self.tensor_types),
            output_tensor_type=find_tensor_type(output) if output else None,
            token_embedding_type=find_tensor_type(embedding) if embedding else None,
            is_pure=self.is_pure,
            leaves_output=self.leaves_output,
            allows_requantize=self.allows_requantize,
            n_threads=self.n_threads or 0,
            measures_perplexity=self.measures_perplexity,
        )

    def require_none(self) -> None:
        """Check that none was given where nothing is quantized.

        Raises:
            UsageError: One was.
        """
        if self != QuantizeFlags():
            raise UsageError(
                "It is said how to quantize, but not to what.",
                hint="Name a type with `quantize`, or leave the rest out.",
            )


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
