"""The launcher's window, where a start that nobody sees in a terminal fails."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.runtime.stub.solofiles import Run

TOOLS = ("zenity", "kdialog", "xmessage", "notify-send")
TITLE = "model"


@pytest.fixture
def damaged(solofile: Path) -> Path:
    """A solofile that was cut short."""
    solofile.write_bytes(solofile.read_bytes()[:-100])
    return solofile


def _tools(folder: Path, *names: str) -> dict[str, str]:
    """Make programs that note what they are to show, and return an environment with a screen."""
    folder.mkdir()
    for name in names:
        tool = folder / name
        tool.write_text(
            f'#!/bin/sh\nprintf "%s\\n" {name} "$@" >{folder}/part\n'
            f"/bin/mv {folder}/part {folder}/shown\n",
            encoding="utf-8",
        )
        tool.chmod(0o755)
    return {"PATH": str(folder), "DISPLAY": ":99", "SOLOFILE_CACHE": str(folder)}


def _shown(folder: Path, *, within_s: float = 10) -> list[str]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if (folder / "shown").exists():
            return (folder / "shown").read_text(encoding="utf-8").splitlines()
        time.sleep(0.01)
    return []


@pytest.mark.parametrize("index", range(len(TOOLS)))
def test_the_first_tool_that_is_there_shows_what_is_wrong(
    index: int, damaged: Path, run: Run, tmp_path: Path
) -> None:
    """Without a terminal and arguments the sentence is in a window, too."""
    folder = tmp_path / "tools"
    environment = _tools(folder, *TOOLS[index:])
    done = run(damaged, environment=environment, stdin=subprocess.DEVNULL)
    assert done.returncode == 3
    shown = _shown(folder)
    assert shown[0] == TOOLS[index]
    assert done.stderr == f"{TITLE}: {shown[-1]}\n"


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [(["info"], {}), ([], {"DISPLAY": ""}), ([], {"SSH_CONNECTION": "1 2 3 4"})],
)
def test_other_starts_open_no_window(
    arguments: list[str], changes: dict[str, str], damaged: Path, run: Run, tmp_path: Path
) -> None:
    """Scripts, machines without a screen and sessions from far away get the line alone."""
    folder = tmp_path / "tools"
    environment = _tools(folder, *TOOLS) | changes
    done = run(damaged, *arguments, environment=environment, stdin=subprocess.DEVNULL)
    assert done.returncode == 3
    assert not _shown(folder, within_s=0.3)
