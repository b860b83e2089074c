"""The sandbox of the commands that answer, where GPU drivers make them wait with a part of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.sandbox.sandbox import ON, possible_here

ANSWERING = """
import sys
from pathlib import Path
from builder.native.llamacpp import expose_binding
expose_binding()
from runtime.cli import sandbox_settings
from runtime.cli.commands import run
sandbox_settings.has_gpu_plugins = lambda: True
assert run(sys.argv[1:]) == 0
print(Path("/proc/self/status").read_text())
"""


@pytest.mark.usefixtures("binding")
@pytest.mark.parametrize(
    ("command", "count"), [("run", 1), ("embed", 1), ("chat", 1), ("run --sandbox off", 0)]
)
def test_what_waits_for_drivers_goes_once_the_model_is_loaded(
    gguf: Path, command: str, count: int
) -> None:
    """By the end of an answer the calls are refused, in whichever command."""
    if (programs := possible_here().programs) != ON:
        assert not os.environ.get("CI"), programs
        pytest.skip(f"this system has not that part of it: {programs}")
    arguments = [*command.split(), "-m", str(gguf), *([] if command == "embed" else ["-n", "1"])]
    done = subprocess.run(
        [sys.executable, "-c", ANSWERING, *arguments],
        input="Hello",
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    own = Path("/proc/self/status").read_text(encoding="utf-8")
    assert _num_filters(done.stdout) == _num_filters(own) + count


def _num_filters(status: str) -> int:
    """Return how many filters a process has; a container may have given it some."""
    found = re.search(r"^Seccomp_filters:\s+(\d+)$", status, re.MULTILINE)
    return int(found[1]) if found else 0
