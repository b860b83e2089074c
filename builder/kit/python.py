"""The Python that is frozen into a kit: the one that runs the builder, or one that it can start."""

import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.errors import ToolError

_TELL = "import json, platform, sys; "
_TELL += "print(json.dumps([platform.python_version(), sys.version, sys.base_prefix]))"


@dataclass(frozen=True, slots=True)
class Python:
    """A Python that can be frozen.

    Args:
        command: What starts it.
        environment: The variables it needs besides this process's.
        version: As in `3.11.2`.
        build: What tells it from others of its version, as in `sys.version`.
        prefix: The folder it was installed in, as it sees that.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    version: str
    build: str
    prefix: str

    def run(
        self, arguments: list[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run it in a folder, with some variables of one's own, and return what it said."""
        return _run(self.command, arguments, folder, {**self.environment, **environment})


def own_python() -> Python:
    """Return the Python that runs this."""
    return Python((sys.executable,), {}, platform.python_version(), sys.version, sys.base_prefix)


def require_shared_python() -> None:
    """Check that the Python that runs this has a library that can be carried along.

    Raises:
        ToolError: It has none.
    """
    if sys.platform == "linux" and not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        raise ToolError(
            f"The Python at {sys.base_prefix} cannot be frozen, it has no shared library.",
            hint="Use one built with --enable-shared: the system's python3, or uv's.",
        )


def asked_python(command: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> Python:
    """Return a Python that tells of itself when it is started in a folder.

    Raises:
        ToolError: It does not start.
    """
    told = _run(command, ["-c", _TELL], folder, environment)
    if told.returncode:
        lines = told.stderr.strip().splitlines() or ["it said nothing"]
        raise ToolError(f"{command[-1]} does not start under {command[0]}: {lines[-1]}")
    return Python(command, environment, *json.loads(told.stdout))


def _run(
    command: tuple[str, ...], arguments: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
