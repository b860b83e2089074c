"""The workflows of `.github` run elsewhere; that what they name is there is checked here."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from builder.cli.root import root
from builder.targets import TARGETS

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def jobs_of(path: Path) -> dict[str, Any]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    assert isinstance(jobs, dict)
    return jobs


def builder_commands(path: Path) -> list[list[str]]:
    """Return what follows `build.py` in every line of every run, for every job of a matrix."""
    commands = []
    for job in jobs_of(path).values():
        rows = job.get("strategy", {}).get("matrix", {}).get("include", [{}])
        lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
        for row in rows:
            for template in lines:
                line = template
                for key, value in row.items():
                    line = line.replace(f"${{{{ matrix.{key} }}}}", value)
                words = shlex.split(line)
                if "build.py" in words:
                    commands.append(words[words.index("build.py") + 1 :])
    return commands


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_command_is_one(path: Path) -> None:
    """The builder has each with these flags, and each test that is named is there."""
    commands = builder_commands(path)
    assert commands
    for words in commands:
        command: click.Command = root
        arguments = list(words)
        while isinstance(command, click.Group):
            context = click.Context(command)
            name = arguments.pop(0)
            found = command.get_command(context, name)
            assert found, f"{name} in {words} is a command"
            command = found
        command.make_context(words[0], list(arguments))
        for word in arguments:
            assert not word.startswith("tests/") or (ROOT / word).exists(), word


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned(path: Path) -> None:
    """By a commit, which nobody can move, with the version beside it."""
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v[\d.]+", action), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_wait_for_jobs(path: Path) -> None:
    """Each that is waited for is there."""
    jobs = jobs_of(path)
    needed = {name for job in jobs.values() for name in [job.get("needs")] if name}
    assert needed <= set(jobs)


def test_every_target_has_a_kit() -> None:
    """The kits are those of all targets."""
    kit = jobs_of(ROOT / ".github" / "workflows" / "kits.yml")["kit"]
    assert {row["target"] for row in kit["strategy"]["matrix"]["include"]} == set(TARGETS)
