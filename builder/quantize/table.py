"""The file types llama.cpp can quantize to, what they cost and what they are good for.

The tests compute every number of bits again with the pinned llama.cpp.
"""

import msgspec

from builder.gguf.tables import FILE_TYPES, TENSOR_TYPES
from runtime.errors import UsageError


class Quantization(msgspec.Struct, frozen=True, kw_only=True):
    """One way to store weights.

    Args:
        name: llama.cpp's name.
        bits_per_weight: Of a model with the shape of Llama 3.1 8B, all tensors counted, without
            an importance matrix.
        needs_imatrix: Whether it is refused without an importance matrix.
        good_for: When to choose it.
    """

    name: str
    bits_per_weight: float
    needs_imatrix: bool
    good_for: str

    @property
    def file_type(self) -> int:
        """Its number in llama.cpp."""
        return next(number for number, name in FILE_TYPES.items() if name == self.name)


def _table(*rows: tuple[str, float, bool, str]) -> dict[str, Quantization]:
    return {
        name: Quantization(
            name=name, bits_per_weight=bits, needs_imatrix=needs_imatrix, good_for=good_for
        )
        for name, bits, needs_imatrix, good_for in rows
    }


# By size, largest first.
QUANTIZATIONS = _table(
    ("F32", 32.0, False, "nothing lost; to compare with, or to quantize from"),
    ("F16", 16.0005, False, "an original in half precision, on processors with F16"),
    ("BF16", 16.0005, False, "an original in half precision, as most models are trained"),
    ("Q8_0", 8.5008, False, "nearly the original; embedding models and very small models"),
    ("MXFP4_MOE", 8.5008, False, "mixtures of experts trained in MXFP4; the rest becomes Q8_0"),
    ("Q6_K", 6.5633, False, "losses that are hard to measure"),
    ("Q5_1", 6.0377, False, "older type; Q5_K_M is smaller and as good"),
    ("Q5_K_M", 5.7036, False, "small losses, where memory allows"),
    ("Q5_K_S", 5.5704, False, "a little smaller than Q5_K_M"),
    ("Q5_0", 5.5704, False, "older type, for rows that fit no K-type"),
    ("Q4_1", 5.1031, False, "older type; Q4_K_M is smaller and better"),
    ("Q4_K_M", 4.8944, False, "the usual choice: a third of the size, little loss"),
    ("IQ4_NL", 4.6818, False, "a little better than Q4_0, slower on processors"),
    ("Q4_K_S", 4.6672, False, "a little smaller than Q4_K_M"),
    ("Q4_0", 4.6358, False, "fastest prompts on processors (repacked), more loss than Q4_K_S"),
    (
        "IQ4_XS",
        4.4597,
        False,
        "the smallest with about four bits; better with an importance matrix",
    ),
    ("Q3_K_L", 4.2979, False, "where four bits do not fit"),
    ("Q3_K_M", 3.996, False, "where Q3_K_L does not fit"),
    ("IQ3_M", 3.7628, False, "better than Q3_K_M with an importance matrix, slower on processors"),
    ("IQ3_S", 3.6606, False, "a little smaller than IQ3_M"),
    ("Q3_K_S", 3.6429, False, "large losses for its size; IQ3_S is better"),
    ("IQ3_XS", 3.4977, True, "large models in little memory"),
    ("IQ3_XXS", 3.3736, True, "large models in little memory"),
    ("Q2_K", 3.1593, False, "large losses; a smaller model is often better"),
    ("Q2_K_S", 2.9697, True, "large losses"),
    ("IQ2_M", 2.9294, True, "very large models that fit in no other way"),
    ("IQ2_S", 2.7403, True, "very large models that fit in no other way"),
    ("Q2_0", 2.6803, False, "models trained for two bits"),
    ("IQ2_XS", 2.5882, True, "very large models that fit in no other way"),
    ("TQ2_0", 2.5173, False, "models trained with ternary weights, faster"),
    ("IQ2_XXS", 2.3824, True, "very large models that fit in no other way"),
    ("TQ1_0", 2.1914, False, "models trained with ternary weights, smaller"),
    ("IQ1_M", 2.146, True, "trials only"),
    ("IQ1_S", 2.0042, True, "trials only"),
    ("Q1_0", 1.4817, False, "models trained for one bit"),
)

# How people abbreviate the middle one of three, as llama-quantize does.
_ALIASES = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}
# What single tensors can be stored as.
_NOT_FOR_WEIGHTS = {"Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"}
_TENSOR_TYPE_IDS = {
    kind.name: number for number, kind in TENSOR_TYPES.items() if kind.name not in _NOT_FOR_WEIGHTS
}


def find_quantization(text: str) -> Quantization:
    """Return the quantization that `text` names, in any case.

    Raises:
        UsageError: There is none of that name.
    """
    name = text.upper()
    found = QUANTIZATIONS.get(_ALIASES.get(name, name))
    if found is None:
        raise UsageError(
            f"{text} is no type llama.cpp quantizes to.",
            hint=f"The types are {', '.join(sorted(QUANTIZATIONS))}; `quantize --list` tells more.",
        )
    return found


def find_tensor_type(text: str) -> int:
    """Return the number of the tensor type that `text` names, in any case.

    Raises:
        UsageError: There is none of that name, or weights cannot be stored so.
    """
    try:
        return _TENSOR_TYPE_IDS[text.upper()]
    except KeyError:
        raise UsageError(
            f"{text} is no type a tensor can be quantized to.",
            hint=f"The types are {', '.join(sorted(_TENSOR_TYPE_IDS))}.",
        ) from None
