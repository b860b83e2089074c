"""Tests of desktop entries, read by GLib's own launcher and the specification's validator."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.branding import Icon
from runtime.desktop.entry import entry_text, install_entry, remove_entry
from runtime.desktop.identity import identify
from runtime.errors import UsageError
from tests.desktop import required_tool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="desktop entries are Linux's")

SVG = Icon("image/svg+xml", b"<svg/>")
PNG = Icon("image/png", b"PNG")
NAMES = (
    "model",
    "a model",
    'say "hi"',
    "it's",
    "100 % of %f",
    "a=b",
    "$HOME `id` $(id)",
    "back\\slash \\n",
    "模型 é",
    "a;b&c|d>e<f*g?h#i~j(k)",
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This user's folder for programs' data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize("name", NAMES)
def test_the_entry_starts_the_file_whatever_its_name(name: str, data: Path, tmp_path: Path) -> None:
    """GLib, which GNOME and others launch with, starts the path with no arguments."""
    program = tmp_path / name
    started = tmp_path / "started"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0" "$#" >"{started}"\n', encoding="utf-8")
    program.chmod(0o755)
    entry = install_entry(identify(program, "Model"), SVG)
    subprocess.run([required_tool("gio"), "launch", entry], check=True, timeout=30)
    deadline = time.monotonic() + 30
    while not (started.exists() and started.read_text(encoding="utf-8").count("\n") == 2):
        assert time.monotonic() < deadline, "it was not started"
        time.sleep(0.01)
    assert started.read_text(encoding="utf-8") == f"{program}\n0\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_entry_keeps_to_the_specification(name: str, data: Path, tmp_path: Path) -> None:
    """desktop-file-validate has nothing to say."""
    entry = install_entry(identify(tmp_path / name, f"{name}\nmodel"), SVG)
    done = subprocess.run(
        [required_tool("desktop-file-validate"), entry], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_entry_says_what_menus_show(tmp_path: Path) -> None:
    """Name, icon, and that a solofile that is gone is not to be shown."""
    text = entry_text(identify(tmp_path / "a model", "Two\nlines"), tmp_path / "icon.svg")
    lines = text.splitlines()
    assert "Name=Two lines" in lines
    assert f"Icon={tmp_path}/icon.svg" in lines
    assert f"TryExec={tmp_path}/a model" in lines
    assert "Terminal=false" in lines


@pytest.mark.parametrize("name", ["line\nbreak", os.fsdecode(b"\xff")])
def test_what_no_entry_can_hold_is_refused(name: str, data: Path, tmp_path: Path) -> None:
    """A line break, or bytes that are no text: rename it."""
    with pytest.raises(UsageError, match="Rename it"):
        install_entry(identify(tmp_path / name, "Model"), SVG)
    assert not data.exists()


def test_removal_leaves_nothing(data: Path, tmp_path: Path) -> None:
    """Installed twice, with icons of two kinds, it has one icon; removed, no file is left."""
    identity = identify(tmp_path / "model", "Model")
    install_entry(identity, SVG)
    install_entry(identity, PNG)
    files = [path for path in data.rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in files) == [".desktop", ".png"]
    assert remove_entry(identity)
    assert not remove_entry(identity)
    assert not [path for path in data.rglob("*") if path.is_file()]


def test_two_solofiles_have_two_entries(data: Path, tmp_path: Path) -> None:
    """Even of the same name, in other folders."""
    first, second = (identify(tmp_path / name / "model", "Model") for name in ("a", "b"))
    assert install_entry(first, SVG) != install_entry(second, SVG)
