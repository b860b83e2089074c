"""The stock minisign program, the other side of our signatures."""

import subprocess
from pathlib import Path

from tests.desktop import required_tool


def minisign(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run it to its end; where it is not installed, the test is skipped, and fails in CI."""
    return subprocess.run(
        [required_tool("minisign"), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
