"""Running a bundle's scripts with a plain shell and little beside it."""

import subprocess
from pathlib import Path

from builder.targets import host_target
from tests.desktop import required_tool

OTHER = "linux-aarch64" if host_target().name == "linux-x86_64" else "linux-x86_64"
# All that the scripts use; each is in coreutils.
COREUTILS = (
    "chmod", "dd", "dirname", "head", "mkdir", "mv", "rm", "sha256sum", "tail", "tee", "uname",
    "wc",
)  # fmt: skip


def link_tools(folder: Path) -> Path:
    """Make a folder with those programs and no others."""
    folder.mkdir()
    for name in COREUTILS:
        (folder / name).symlink_to(required_tool(name))
    return folder


def run_script(
    bundle: Path, tools: Path, script: str, *arguments: str | Path, shell: str = "dash"
) -> subprocess.CompletedProcess[str]:
    """Run a script of a bundle from another folder, with a shell and the tools of a folder."""
    return subprocess.run(
        [required_tool(shell), bundle / script, *arguments],
        cwd=bundle.parent,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
