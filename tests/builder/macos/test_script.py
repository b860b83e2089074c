"""The script for Finder, run by this system's shell with a stand-in for macOS's xattr."""

import os
import subprocess
from pathlib import Path

import pytest

from builder.kit.kit import Kit
from builder.macos.app import AppOrder, write_app
from builder.targets import TARGETS

NAME = 'Mörk\'s "$HOME" `id`'


@pytest.fixture
def script(arm_kit: Kit, tmp_path: Path) -> Path:
    """A script beside a program of that name, in a folder with a space."""
    folder = tmp_path / "a b"
    folder.mkdir()
    program = folder / NAME
    program.write_text('#!/bin/sh\necho "started $*"\n', encoding="utf-8")
    program.chmod(0o755)
    *_, script = write_app(program, arm_kit, TARGETS["macos-arm64"], AppOrder("A"))
    return script


def run(script: Path, *arguments: str, quarantined: bool = False) -> tuple[int, str]:
    """Start it from elsewhere, as Finder does."""
    tools = script.parent.parent / "tools"
    tools.mkdir(exist_ok=True)
    xattr = tools / "xattr"
    xattr.write_text(f"#!/bin/sh\nexit {0 if quarantined else 1}\n", encoding="utf-8")
    xattr.chmod(0o755)
    done = subprocess.run(
        [script, *arguments],
        cwd="/",
        env={"PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_it_starts_the_solofile_beside_it(script: Path) -> None:
    """With its arguments; what a copy lost of the permissions comes back."""
    (script.parent / NAME).chmod(0o644)
    assert run(script, "serve", "a b") == (0, "started serve a b\n")


def test_it_tells_how_to_allow_what_was_downloaded(script: Path) -> None:
    """It does not do so by itself."""
    code, told = run(script, quarantined=True)
    assert code == 1
    assert f'xattr -d com.apple.quarantine "{script.parent}/{NAME}"' in told
    assert "started" not in told


def test_it_says_what_is_missing(script: Path) -> None:
    """The script alone starts nothing."""
    (script.parent / NAME).unlink()
    assert run(script) == (1, f"{NAME} is not beside this script; put both into one folder.\n")
