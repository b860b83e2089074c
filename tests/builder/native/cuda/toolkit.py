"""An installed CUDA toolkit whose compiler only says what and where it is."""

from pathlib import Path

_NVCC = """#!/bin/sh
case "$1" in
  --version) echo "Cuda compilation tools, release 13.0, V13.0.88";;
  --dryrun) echo "#$ _HERE_=/elsewhere/bin" >&2; echo "#$ TOP={top}/bin/.." >&2;;
esac
"""


def install_toolkit(home: Path) -> Path:
    """Write one into a folder, and return that."""
    nvcc = home / "bin" / "nvcc"
    nvcc.parent.mkdir(parents=True)
    nvcc.write_text(_NVCC.format(top=home))
    nvcc.chmod(0o755)
    (home / "EULA.txt").write_text("Terms.")
    return home
