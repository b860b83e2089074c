"""NVIDIA's CUDA compiler: the one that is installed, or else its parts from PyPI."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from builder import console
from builder.errors import ToolError
from builder.files import require_space
from builder.pypi import install_tools, require_network
from runtime.user_folders import user_cache_dir

VERSION = "13.5.37"
WHEELS = [
    f"nvidia-cuda-nvcc=={VERSION}",
    f"nvidia-nvvm=={VERSION}",
    f"nvidia-cuda-crt=={VERSION}",
    f"nvidia-cuda-runtime=={VERSION}",
    "nvidia-cuda-cccl==13.3.5.0.6",
]
_FOLDER = f"cuda-{VERSION}"
# What the wheels take, and what pip needs for them while it installs, in bytes.
_DOWNLOAD_MB = 129
_INSTALLED_MB = 347
_NEEDED_BYTES = 1000 * 10**6
_MACHINES = ("x86_64", "aarch64")


@dataclass(frozen=True, slots=True)
class Toolkit:
    """A CUDA compiler with its runtime.

    Args:
        nvcc: The compiler; None until it is fetched.
        version: What it is, in a few words or lines.
    """

    nvcc: Path | None
    version: str

    @property
    def toolchain(self) -> str:
        """What compiles for the processor: NVIDIA's compiler takes the newest clang only if new."""
        return "system" if self.nvcc else "zig"

    @property
    def release(self) -> str:
        """Its version, as in `13.0.88`."""
        told = re.search(r"\bV(\d+(?:\.\d+)+)", self.version)
        return told[1] if told else VERSION

    def root(self) -> Path:
        """Return the folder it lies in, fetched on first use.

        Raises:
            DiskError: There is no room for it.
            SourceError: It could not be fetched.
        """
        return _root(self.nvcc) if self.nvcc else _fetched()


def find_toolkit() -> Toolkit:
    """Return the toolkit of `CUDA_PATH` or on `PATH`, or else the one that is fetched when used.

    Raises:
        ToolError: There is none at `CUDA_PATH`, or none for this system.
    """
    home = os.environ.get("CUDA_PATH")
    found = shutil.which("nvcc", path=str(Path(home) / "bin") if home else None)
    if found:
        told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        return Toolkit(Path(found), told.stdout)
    if home:
        raise ToolError(
            f"CUDA_PATH is {home}, and there is no bin/nvcc.",
            hint="Set it to the folder of a CUDA toolkit, or unset it to have one fetched.",
        )
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        raise ToolError(
            f"The CUDA plugin cannot be built on {platform.system()} {platform.machine()}: there "
            "is no compiler for it.",
            hint="Build it on Linux, or use --gpu vulkan.",
        )
    return Toolkit(None, " ".join(WHEELS))


def licence_texts(toolkit: Toolkit) -> list[Path]:
    """Return NVIDIA's terms, as they lie beside the runtime that gets into programs.

    Raises:
        DiskError: There is no room for the toolkit.
        SourceError: It could not be fetched.
    """
    root = toolkit.root()
    fetched = root.parents[1] / f"nvidia_cuda_runtime-{VERSION}.dist-info/licenses/License.txt"
    return [path for path in (fetched, root / "EULA.txt") if path.is_file()]


def _fetched() -> Path:
    tools = user_cache_dir() / "tools"
    if not (tools / _FOLDER).exists():
        require_network("install NVIDIA's CUDA compiler")
        tools.mkdir(parents=True, exist_ok=True)
        require_space(tools, _NEEDED_BYTES, purpose="NVIDIA's CUDA compiler while it is installed")
        console.info(
            f"NVIDIA's CUDA compiler {VERSION} is fetched from the package index, once: "
            f"{_DOWNLOAD_MB} MB, {_INSTALLED_MB} MB unpacked, under NVIDIA's CUDA terms."
        )
    return install_tools(_FOLDER, WHEELS) / "nvidia" / "cu13"


def _root(nvcc: Path) -> Path:
    """Return where a toolkit lies; the program on PATH may be a script that calls another."""
    told = subprocess.run(
        [nvcc, "--dryrun", "-E", "-x", "cu", os.devnull],
        capture_output=True,
        text=True,
        check=False,
    )
    tops = [line.partition("TOP=")[2] for line in told.stderr.splitlines() if "TOP=" in line]
    if not tops:
        raise ToolError(
            f"{nvcc} does not say where its toolkit lies.",
            hint="Set CUDA_PATH to the folder of a CUDA toolkit.",
        )
    return Path(tops[0].strip()).resolve()
