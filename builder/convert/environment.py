"""The Python environment that llama.cpp's converter runs in: torch and transformers, pinned.

It is made on first use and kept in the cache, apart from the builder's own environment.
"""

import hashlib
import os
import sys
from importlib import resources
from pathlib import Path

from builder import console
from builder.cache.items import made_once
from builder.files import atomic_folder
from builder.pypi import run_pip
from builder.vendor.folder import CONVERTER
from runtime.user_folders import user_cache_dir

_REQUIREMENTS = "requirements.txt"


def converter_python() -> Path:
    """Return the interpreter of the converter's environment, which is made on first use.

    Raises:
        DiskError: The disk is full, or the cache is not writable.
        SourceError: A package is not there, or the package index is not reachable.
    """
    return environment_python(converter_requirements())


def converter_requirements() -> str:
    """Return what the converter's environment holds, as in a requirements file."""
    return (resources.files(__package__) / _REQUIREMENTS).read_text(encoding="utf-8")


def environment_python(requirements: str) -> Path:
    """Return the interpreter of an environment with these requirements, made on first use.

    Args:
        requirements: As in a requirements file; all of them bring wheels.

    Raises:
        DiskError: The disk is full, or the cache is not writable.
        SourceError: A package is not there, or the package index is not reachable.
    """
    # An environment is of use to the one Python it was made with.
    facts = [requirements, sys.version, sys.base_prefix]
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    folder = user_cache_dir() / "converter" / f"environment-{key}"
    return _python(made_once(folder, lambda _lock: _make(folder, requirements)))


def _make(folder: Path, requirements: str) -> None:
    import venv

    wanted = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    with atomic_folder(folder) as part:
        venv.EnvBuilder(symlinks=os.name != "nt").create(part)
        listed = part / _REQUIREMENTS
        listed.write_text(requirements, encoding="utf-8")
        label = "Making the converter's environment (once; torch is large)"
        with console.progress(label, len(wanted), unit_is_bytes=False) as advance:

            def listen(line: str) -> None:
                if line.startswith("Collecting "):
                    advance(1)

            # Compiling all of torch would take longer than installing it; Python does it on use.
            arguments = ["install", "--no-compile", "--only-binary=:all:", "-r", str(listed)]
            run_pip(
                ["--python", str(_python(part)), *arguments],
                doing="make the converter's environment",
                part=CONVERTER,
                listen=listen,
            )


def _python(folder: Path) -> Path:
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"
