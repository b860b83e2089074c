"""Choosing one model among the GGUF files of a repository, by quantization or file name."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from builder.errors import SourceError
from builder.gguf.facts import PART, QUANTIZATION
from builder.sources.gguf_file import part_names

# The default is the smallest that loses little; what follows is taken in this order.
PREFERRED = (
    "Q4_K_M", "Q4_K_S", "Q4_K_XL", "Q4_K_L", "Q4_0", "Q4_1", "IQ4_NL", "IQ4_XS", "MXFP4",
    "MXFP4_MOE", "Q5_K_M", "Q5_K_S", "Q5_0", "Q5_1", "Q6_K", "Q8_0", "Q3_K_L", "Q3_K_M", "IQ3_M",
    "Q3_K_S", "BF16", "F16", "F32",
)  # fmt: skip
# Files that stand beside models without being one.
_NOT_MODELS = ("mmproj", "imatrix")


@dataclass(frozen=True, slots=True)
class Variant:
    """One model in a repository.

    Args:
        quantization: What its name says of it, in capitals; may be empty.
        files: Its GGUF, or all parts of a split one in order.
        missing: The parts that are not there.
    """

    quantization: str
    files: tuple[str, ...]
    missing: tuple[str, ...] = ()


def variants(file_names: Iterable[str]) -> list[Variant]:
    """Return the models among a repository's files, split ones as one, sorted by name."""
    names = set(file_names)
    found = {}
    for name in sorted(names):
        path = PurePosixPath(name)
        if path.suffix != ".gguf" or any(word in path.name.lower() for word in _NOT_MODELS):
            continue
        files = tuple(str(path.with_name(part)) for part in part_names(path.name))
        missing = tuple(part for part in files if part not in names)
        found[files] = Variant(_quantization(path), files, missing)
    return list(found.values())


def choose(candidates: list[Variant], wanted: str, repository: str) -> Variant:
    """Return the one variant that is meant.

    Args:
        candidates: All variants of the repository.
        wanted: A file name or a quantization in any case; empty for the best default.
        repository: What error sentences call the repository.

    Raises:
        SourceError: None, or more than one, is meant, or a part of it is missing.
    """
    if not candidates:
        raise SourceError(
            f"{repository} holds no GGUF file.",
            hint="Look for a repository with the same model as GGUF; their names often end in "
            "-GGUF.",
        )
    if wanted:
        matches = [variant for variant in candidates if _is_meant(variant, wanted)]
    else:
        whole = [variant for variant in candidates if not variant.missing]
        matches = _preferred(whole or candidates)
    if not matches:
        raise SourceError(f"{repository} holds no {wanted}.", hint=_listing(candidates))
    if len(matches) > 1:
        files = ", ".join(variant.files[0] for variant in matches)
        asked = f" for {wanted}" if wanted else ""
        raise SourceError(
            f"{repository} holds more than one model{asked}: {files}.",
            hint=f"Name one of these files, as in {repository}:{matches[0].files[0]}.",
        )
    if matches[0].missing:
        raise SourceError(f"{repository} lacks {', '.join(matches[0].missing)}, parts of a model.")
    return matches[0]


def _quantization(path: PurePosixPath) -> str:
    match = QUANTIZATION.search(PART.sub("", path.stem))
    return match[1].upper() if match else ""


def _is_meant(variant: Variant, wanted: str) -> bool:
    if wanted in variant.files or wanted in (PurePosixPath(name).name for name in variant.files):
        return True
    return wanted.upper() in (variant.quantization, variant.quantization.removeprefix("UD-"))


def _preferred(candidates: list[Variant]) -> list[Variant]:
    for name in PREFERRED:
        for label in (name, f"UD-{name}"):
            matches = [variant for variant in candidates if variant.quantization == label]
            if matches:
                return matches
    return candidates


def _listing(candidates: list[Variant]) -> str:
    labels = sorted({variant.quantization for variant in candidates if variant.quantization})
    return f"There are {', '.join(labels or [variant.files[0] for variant in candidates])}."
