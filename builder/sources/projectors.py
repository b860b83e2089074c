"""Finding the projector that belongs to a model among the files of its repository."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

# Most are made in F16; of the others the exact ones come first.
_TYPES = ("f16", "bf16", "f32", "q8_0")


def is_projector(name: str) -> bool:
    """Say whether a file's name is a projector's."""
    return "mmproj" in PurePosixPath(name).name.lower() and name.lower().endswith(".gguf")


def best_projector(names: Iterable[str], model: str) -> str | None:
    """Return the projector that belongs to a model; None where there is none.

    It lies in the model's folder or in one around it, the nearest one first.

    Args:
        names: All files of the repository.
        model: One of them.
    """
    folders = PurePosixPath(model).parents
    found = [
        name
        for name in sorted(names)
        if is_projector(name) and PurePosixPath(name).parent in folders
    ]
    return min(found, key=lambda name: (-len(PurePosixPath(name).parts), _rank(name)), default=None)


def _rank(name: str) -> int:
    stem = PurePosixPath(name).stem.lower()
    ranks = [rank for rank, kind in enumerate(_TYPES) if re.search(rf"(^|[-._]){kind}\b", stem)]
    return ranks[0] if ranks else len(_TYPES)
