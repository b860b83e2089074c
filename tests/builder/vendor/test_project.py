"""The builder's own sources in a vendored folder."""

from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.vendor import project
from builder.vendor.project import copy_project, project_key, require_project


def test_a_copy_has_what_a_builder_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is what it was taken from, and can be taken from in turn."""
    key = project_key()
    copy_project(tmp_path)
    assert not list(tmp_path.rglob("__pycache__"))
    monkeypatch.setattr(project, "ROOT", tmp_path)
    require_project()
    assert project_key() == key
    (tmp_path / "runtime" / "__init__.py").write_text("", encoding="utf-8")
    assert project_key() != key


def test_a_builder_that_pip_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without build.py nothing could be started there."""
    monkeypatch.setattr(project, "ROOT", tmp_path)
    with pytest.raises(ToolError, match=r"installed by pip, without all of its sources\."):
        require_project()
