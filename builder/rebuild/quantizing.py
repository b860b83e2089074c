"""From a manifest's step back to the flags that quantized the model."""

from pathlib import Path
from typing import Any

from builder.quantize.flags import QuantizeFlags
from builder.quantize.options import QuantizeOptions
from builder.rebuild.order import RebuildOrder
from runtime.errors import UnsupportedError
from runtime.manifest import Step

_SWITCHES = {
    "--pure": "is_pure",
    "--leave-output-tensor": "leaves_output",
    "--allow-requantize": "allows_requantize",
}
_TYPES = {
    "--output-tensor-type": "output_tensor_type",
    "--token-embedding-type": "token_embedding_type",
}
_FILES = {"--imatrix": "imatrix", "--calibrate": "calibrate"}


def quantize_options(step: Step, order: RebuildOrder) -> QuantizeOptions:
    """Return how a model was quantized.

    Raises:
        SourceError: An importance matrix, or the text for one, is not at hand.
        UnsupportedError: The command has a flag that this version does not know.
        UsageError: A type is none that this version knows.
    """
    # `solofile quantize`, the flags, the model, the result, the type.
    words = iter(step.command[2:-3])
    fields: dict[str, Any] = {"tensor_types": ()}
    for flag in words:
        if flag in _SWITCHES:
            fields[_SWITCHES[flag]] = True
        elif flag in _TYPES:
            fields[_TYPES[flag]] = next(words, "")
        elif flag == "--tensor-type":
            fields["tensor_types"] += (next(words, ""),)
        elif flag in _FILES:
            fields[_FILES[flag]] = _input(next(words, ""), step, order)
        else:
            raise UnsupportedError(
                f"{order.solofile} was quantized with {flag}, which this version does not know.",
                hint="Use the version of solofile that made it.",
            )
    return QuantizeFlags(**fields).options(step.type)


def _input(name: str, step: Step, order: RebuildOrder) -> Path:
    wanted = [file for file in step.inputs if file.name == name]
    if not wanted:
        raise UnsupportedError(f"{order.solofile} does not tell of the {name} that went into it.")
    return order.find_input(wanted[-1])
