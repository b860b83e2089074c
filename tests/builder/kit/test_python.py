"""The Pythons that can be frozen."""

import platform
import sys
import sysconfig
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.kit.python import asked_python, own_python, require_shared_python


def test_own_python_is_this_one(tmp_path: Path) -> None:
    """What it says of itself is what is known of it without asking."""
    own = own_python()
    assert asked_python((sys.executable,), {}, tmp_path) == own
    assert own.version == platform.python_version()


def test_runs_in_a_folder_with_variables(tmp_path: Path) -> None:
    """Its own variables are there beside those of one run."""
    python = asked_python((sys.executable,), {"MINE": "a"}, tmp_path)
    code = "import os; print(os.getcwd(), os.environ['MINE'], os.environ['YOURS'])"
    told = python.run(["-c", code], tmp_path, {"YOURS": "b"})
    assert told.stdout == f"{tmp_path} a b\n"


def test_one_that_does_not_start(tmp_path: Path) -> None:
    """The last thing it said is told."""
    with pytest.raises(ToolError, match=r"here does not start under sh: .*not found"):
        asked_python(("sh", "-c", "no-such-python", "here"), {}, tmp_path)


def test_without_shared_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused with what to use instead."""
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: 0)

    with pytest.raises(ToolError, match=r"has no shared library\. Use one built with --enable"):
        require_shared_python()
