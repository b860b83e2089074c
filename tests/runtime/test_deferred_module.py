"""Tests of modules that run when they are first used."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.deferred_module import defer


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package that counts in `sys.ran` how often it is run, with two modules."""
    package = tmp_path / "late_package"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import sys\nsys.ran.append(__name__)\nfrom late_package.inner import number\n"
    )
    (package / "inner.py").write_text("import sys\nsys.ran.append(__name__)\nnumber = 7\n")
    (package / "other.py").write_text("name = 'other'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "ran", [], raising=False)
    yield
    for name in [name for name in sys.modules if name.startswith("late_package")]:
        del sys.modules[name]


def _ran() -> list[str]:
    ran: list[str] = sys.ran  # type: ignore[attr-defined] # set by the fixture
    return ran


def test_a_module_runs_when_a_name_of_it_is_used() -> None:
    """Importing it does not run it, its modules can be imported, and it runs once."""
    defer("late_package")
    package = importlib.import_module("late_package")
    assert importlib.import_module("late_package.other").name == "other"
    assert _ran() == []
    assert (package.number, package.number) == (7, 7)
    assert _ran() == ["late_package", "late_package.inner"]


def test_a_module_of_a_package_can_be_deferred_too() -> None:
    """It is known as its package's attribute, and runs when a name is used."""
    defer("late_package")
    defer("late_package.inner")
    package = importlib.import_module("late_package")
    inner = package.inner
    assert _ran() == []
    assert inner.number == 7
    assert _ran() == ["late_package.inner"]


def test_a_name_can_have_another_home() -> None:
    """It is taken from there, and the module does not run."""
    defer("late_package", name="late_package.other")
    assert importlib.import_module("late_package").name == "other"
    assert _ran() == []


def test_an_unknown_name_is_an_error() -> None:
    """The module runs, and has none of that name."""
    defer("late_package")
    with pytest.raises(AttributeError, match="nothing"):
        importlib.import_module("late_package").nothing  # noqa: B018 - asked for the error


def test_a_module_that_is_there_is_left_alone() -> None:
    """What was imported before is not made anew."""
    package = importlib.import_module("late_package")
    defer("late_package")
    assert sys.modules["late_package"] is package


def test_constants_do_not_run_it() -> None:
    """What is asked for before it runs may be said beforehand; then its own names count."""
    defer("late_package", {"number": 3})
    package = importlib.import_module("late_package")
    assert package.number == 3
    assert _ran() == []
    assert package.inner.number == 7
    assert package.number == 7
