"""Tests of launchd's agents."""

import plistlib
from pathlib import Path

from runtime.desktop.identity import identify
from runtime.desktop.services.launchd import launchd_plan
from runtime.desktop.services.service import Service


def test_the_agent_serves_from_login_on(tmp_path: Path) -> None:
    """Its property list names the program and arguments as they are, and is where agents lie."""
    identity = identify(tmp_path / "a <model>", "Model")
    plan = launchd_plan(Service(identity, ("--alias", "ä & ö")), user_id=501)
    agent = plistlib.loads(plan.content)
    command = [str(tmp_path / "a <model>"), "serve", "--no-browser", "--alias", "ä & ö"]
    assert agent["ProgramArguments"] == command
    assert agent["RunAtLoad"] is True
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert plan.file == Path.home() / "Library" / "LaunchAgents" / f"{agent['Label']}.plist"
    assert plan.start == [("launchctl", "bootstrap", "gui/501", str(plan.file))]
    assert plan.stop == [("launchctl", "bootout", f"gui/501/{agent['Label']}")]
