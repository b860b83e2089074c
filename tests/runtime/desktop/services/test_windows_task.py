"""Tests of the task scheduler's tasks."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from runtime.desktop.identity import identify
from runtime.desktop.services.service import Service
from runtime.desktop.services.windows_task import windows_plan

SPACE = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def test_the_task_serves_from_login_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its XML names program, quoted arguments and user; it is never ended for its long run."""
    monkeypatch.setenv("SOLOFILE_CACHE", str(tmp_path))
    identity = identify(tmp_path / "a & model.exe", "Model")
    plan = windows_plan(Service(identity, ("--alias", 'a "b" <c>')), user="PC\\Zoë & Co")
    assert plan.content.startswith((b"\xff\xfe", b"\xfe\xff"))
    task = ElementTree.fromstring(plan.content)

    def text(path: str) -> str | None:
        return task.findtext("/".join(f"t:{part}" for part in path.split("/")), None, SPACE)

    assert text("Actions/Exec/Command") == str(tmp_path / "a & model.exe")
    assert text("Actions/Exec/Arguments") == r'serve --no-browser --alias "a \"b\" <c>"'
    assert text("Triggers/LogonTrigger/UserId") == "PC\\Zoë & Co"
    assert text("Settings/ExecutionTimeLimit") == "PT0S"
    assert plan.start[0][-1] == str(plan.file)
