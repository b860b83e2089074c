"""The project's own sources, as far as a builder needs them."""

import hashlib
import shutil
from pathlib import Path

import runtime
from builder.errors import ToolError
from builder.files import sha256_of

ROOT = Path(runtime.__file__).resolve().parents[1]
_NAMES = [
    "CHANGELOG.md", "LICENSE", "README.md", "build.py", "constraints.txt", "pyproject.toml",
    "builder", "docs", "runtime", "templates",
]  # fmt: skip
_LEFT_OUT = {"__pycache__"}


def require_project() -> None:
    """Check that this builder is one that its sources can be taken from.

    Raises:
        ToolError: pip installed it, without what makes its environment.
    """
    if not (ROOT / "build.py").is_file():
        raise ToolError(
            "This builder was installed by pip, without all of its sources.",
            hint="Run `python3 build.py vendor DIR` in a clone or an unpacked archive of solofile.",
        )


def project_key() -> str:
    """Return the digest of all sources, in hex."""
    lines = [f"{path.relative_to(ROOT).as_posix()} {sha256_of(path)}" for path in _files()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def copy_project(folder: Path) -> None:
    """Copy the sources into a folder.

    Raises:
        OSError: The disk is full.
    """
    for path in _files():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def _files() -> list[Path]:
    places = [ROOT / name for name in _NAMES]
    inside = [path for place in places if place.is_dir() for path in place.rglob("*")]
    return sorted(
        path
        for path in (*places, *inside)
        if path.is_file() and not _LEFT_OUT.intersection(path.parts)
    )
