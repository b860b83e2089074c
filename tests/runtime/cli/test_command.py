"""Tests of what a command begins with."""

import subprocess
import sys

# What is imported while the weights are mapped, or later, or never.
_LATER = {"asyncio", "jinja2", "runtime.engine.engine", "runtime.engine.scheduler", "starlette"}


def test_the_weights_wait_for_few_imports() -> None:
    """The module that begins to load the model imports neither the server nor the engine."""
    code = "import sys, runtime.cli.serve; print(*sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "runtime.engine.model" in imported
    assert not _LATER & set(imported)
