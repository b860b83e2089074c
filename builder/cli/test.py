"""`test`: the linters, the type checker and the whole test suite, in this environment."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import click

from builder import console
from builder.cli.command import Command
from builder.errors import ToolError

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])


@click.command(
    cls=Command,
    context_settings={"ignore_unknown_options": True},
    examples=["test", "test --no-lint tests/builder -k merge -x"],
)
@click.option("--no-lint", is_flag=True, help="run the tests only")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def test(no_lint: bool, pytest_args: tuple[str, ...]) -> None:
    """Run the linters, the type checker and all tests.

    What follows the options goes to pytest.
    """
    if not (ROOT / "build.py").is_file() or importlib.util.find_spec("pytest") is None:
        raise ToolError(
            "The tests are not part of an installed solofile.",
            hint="Run `python3 build.py test` in a clone of the project.",
        )
    commands = [] if no_lint else list(CHECKS)
    for command in [*commands, ["pytest", *pytest_args]]:
        console.info(f"$ {' '.join(command)}")
        completed = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False)
        if completed.returncode:
            raise SystemExit(completed.returncode)
