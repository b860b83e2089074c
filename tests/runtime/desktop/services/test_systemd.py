"""Tests of systemd's units, read by systemd itself."""

import os
import subprocess
from pathlib import Path

import pytest

from runtime.desktop.identity import identify
from runtime.desktop.services.service import Service
from runtime.desktop.services.systemd import systemd_plan, unit_text
from tests.desktop import required_tool
from tests.runtime.desktop.test_entry import NAMES

ARGUMENTS = ("--system-prompt", 'Say "$HOME", 100 % and \\n.\nNo more.', "--port", "9000")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This user's folder for settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.mark.parametrize("name", NAMES)
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    """Systemd finds the program under its name, and nothing to complain of."""
    program = tmp_path / name
    program.touch(0o755)
    unit = tmp_path / "solofile-model.service"
    unit.write_text(unit_text(Service(identify(program, "100 %i"), ARGUMENTS)), encoding="utf-8")
    done = subprocess.run(
        [required_tool("systemd-analyze"), "verify", "--user", "--man=no", unit],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    about_it = [line for line in done.stderr.splitlines() if "solofile" in line]
    assert not about_it


def test_the_unit_serves_and_is_kept_running(config: Path, tmp_path: Path) -> None:
    """It starts with each login, opens no browser, and comes back where that may help."""
    plan = systemd_plan(Service(identify(tmp_path / "m", "Model"), ("--port", "9000")))
    lines = plan.content.decode().splitlines()
    assert f'ExecStart="{tmp_path}/m" "serve" "--no-browser" "--port" "9000"' in lines
    assert "WantedBy=default.target" in lines
    assert "RestartPreventExitStatus=2 3 4" in lines
    assert plan.file.parent == config / "systemd" / "user"
    assert all(command[:2] == ("systemctl", "--user") for command in (*plan.start, *plan.stop))


def test_nothing_in_arguments_is_replaced(tmp_path: Path) -> None:
    """Percent and dollar signs are doubled, quotes, backslashes and line breaks escaped."""
    text = unit_text(Service(identify(tmp_path / "m", "Model"), ARGUMENTS))
    assert '"Say \\"$$HOME\\", 100 %% and \\\\n.\\nNo more."' in text
