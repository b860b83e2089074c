"""What flags or a recipe say of how to quantize, and what is meant by it."""

from pathlib import Path

import msgspec

from builder.quality.text_file import read_text
from builder.quantize.options import QuantizeOptions, parse_tensor_types
from builder.quantize.table import find_quantization, find_tensor_type
from runtime.errors import UsageError


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
