"""Environments of the compared Python servers: each in the cache, made on first use."""

import hashlib
import os
import venv
from pathlib import Path

from builder import console
from builder.files import atomic_folder
from builder.pypi import run_pip
from runtime.user_folders import user_cache_dir

# What the binding itself imports, and the extras of its server.
LLAMA_CPP_PYTHON = [
    "diskcache==5.6.3",
    "fastapi==0.165.0",
    "jinja2==3.1.6",
    "numpy==2.4.6",
    "pydantic-settings==2.16.3",
    "pyyaml==6.0.3",
    "sse-starlette==3.7.0",
    "starlette-context==0.3.6",
    "typing-extensions==4.16.0",
    "uvicorn==0.54.0",
]
TRANSFORMERS = ["accelerate==1.15.0", "gguf==0.19.0", "torch==2.13.0", "transformers==5.23.0"]


def environment_python(name: str, requirements: list[str]) -> Path:
    """Return the interpreter of an environment with these packages, made on first use.

    Raises:
        SourceError: A package is not there, or the package index is unreachable.
    """
    key = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    folder = user_cache_dir() / "bench" / f"{name}-{key}"
    if not folder.is_dir():
        with (
            atomic_folder(folder) as part,
            console.status(f"Installing {name} into an environment of its own (once)"),
        ):
            venv.EnvBuilder(symlinks=os.name != "nt").create(part)
            run_pip(
                ["--python", str(_python(part)), "install", *requirements],
                doing=f"install {name}",
            )
    return _python(folder)


def _python(folder: Path) -> Path:
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"
