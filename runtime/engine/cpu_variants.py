"""The variants of ggml's CPU backend: which of them this processor can run, and which is used."""

import ctypes
from pathlib import Path

import msgspec

from runtime.engine.llama import library_folder

# What each library says of itself by `ggml_cpu_has_NAME`, as it was compiled.
_FEATURES = (
    "sse3", "ssse3", "avx", "f16c", "fma", "bmi2", "avx2", "avx_vnni", "avx512", "avx512_vbmi",
    "avx512_vnni", "avx512_bf16", "amx_int8", "neon", "arm_fma", "dotprod", "fp16_va",
    "matmul_int8", "sve", "sme", "sme2",
)  # fmt: skip
_NAME = "ggml-cpu-"


class CpuVariant(msgspec.Struct, frozen=True):
    """One library, compiled for processors that have certain features.

    Args:
        name: What ggml calls it, mostly after a processor.
        score: ggml's score, the higher the better; 0 where this processor cannot run it.
        features: What it computes with.
        missing: Those of them that no variant has which this processor can run.
        is_used: It is the one that every start loads.
    """

    name: str
    score: int
    features: list[str]
    missing: list[str]
    is_used: bool


def cpu_variants() -> list[CpuVariant]:
    """Return all variants that lie beside llama.cpp's libraries, the best first."""
    found = sorted(map(_examine, library_folder().glob(f"*{_NAME}*")), key=lambda it: -it.score)
    present = {feature for variant in found if variant.score for feature in variant.features}
    return [
        msgspec.structs.replace(
            variant,
            missing=[feature for feature in variant.features if feature not in present],
            is_used=variant is found[0] and variant.score > 0,
        )
        for variant in found
    ]


def _examine(path: Path) -> CpuVariant:
    # ggml, too, opens each to ask for its score: that runs nothing a processor could lack.
    library = ctypes.CDLL(str(path))
    return CpuVariant(
        name=path.name.partition(_NAME)[2].partition(".")[0],
        score=library.ggml_backend_score(),
        features=[name.upper() for name in _FEATURES if library[f"ggml_cpu_has_{name}"]()],
        missing=[],
        is_used=False,
    )
