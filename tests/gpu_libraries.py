"""The engine in a process of its own, with GPU plugins beside its libraries."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from builder.native.gpu_libraries import memory_library
from builder.native.llamacpp import native_libraries, source_folder
from builder.targets import host_target

PROJECT = Path(__file__).parents[1]


def libraries_with(folder: Path, plugins: Iterable[Path]) -> Path:
    """Fill a folder with links to this machine's libraries and to plugins, as a kit has them."""
    (folder / "gpu").mkdir(parents=True)
    for library in native_libraries(host_target()).iterdir():
        (folder / library.name).symlink_to(library)
    for plugin in [*plugins, memory_library(host_target())]:
        (folder / "gpu" / plugin.name).symlink_to(plugin)
    return folder


def run_with(
    libraries: Path, *command: str | Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` where the engine finds these libraries."""
    environment = (
        os.environ
        | variables
        | {
            "LLAMA_CPP_LIB_PATH": str(libraries),
            "PYTHONPATH": os.pathsep.join([str(PROJECT), str(source_folder())]),
        }
    )
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
