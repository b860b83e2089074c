"""The commands as a group."""

import subprocess

import pytest

from builder.__main__ import run
from builder.cli.completion import SHELLS
from builder.cli.root import COMMANDS


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command stands in the help with a summary, and examples follow."""
    assert run(["--help"], program="build.py") == 0
    text = capsys.readouterr().out
    listed = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    assert all(len(listed.get(name, [])) > 2 for name in COMMANDS)
    assert "\n  python3 build.py demo\n" in text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Every command explains itself."""
    assert run([name, "--help"]) == 0
    assert f"solofile {name}" in capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_completion(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    """Every shell gets a script that asks this program."""
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "_SOLOFILE_COMPLETE" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
