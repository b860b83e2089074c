"""Roots of other systems: what is said where none can be made, and what their programs see.

A root that is made, and a kit out of it, is tested by `tests/e2e/test_aarch64.py`.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.kit.root import ARCHITECTURES, Root, has_root, made_root, make_root
from builder.targets import TARGETS, host_target

ARM = TARGETS["linux-aarch64"]

pytestmark = pytest.mark.skipif(
    not has_root(ARM) or host_target() == ARM, reason="roots are made on other Linux machines"
)


def test_missing_tools_are_named(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, with what installs them, before anything is downloaded."""
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(
        ToolError, match=r"mmdebstrap, unshare, qemu-aarch64-static are not on PATH\..*apt install"
    ):
        make_root(ARM)
    assert not own_cache.exists()


def test_systems_without_a_root(own_cache: Path) -> None:
    """Only a Linux can be emulated that way."""
    assert made_root(TARGETS["macos-arm64"]) is None
    with pytest.raises(ToolError, match="A kit for macos-arm64 cannot be built on"):
        make_root(TARGETS["macos-arm64"])


def test_none_before_it_is_made(own_cache: Path) -> None:
    """Looking for it makes nothing."""
    assert made_root(ARM) is None
    assert not own_cache.exists()


def test_programs_see_folders_at_their_places(tmp_path: Path) -> None:
    """Those that are named, whatever their names, in the folder one is in; nothing else of here."""
    made = _of_this_machine(tmp_path / "a 'root'")
    seen = tmp_path / "what is $seen"
    seen.mkdir()
    (seen / "file").write_text("here\n", encoding="utf-8")

    told = subprocess.run(
        [*made.command(seen), "/bin/sh", "-c", 'cat file; pwd; ls /; echo "$1"', "sh", "two words"],
        cwd=seen,
        capture_output=True,
        text=True,
        check=False,
    )

    if told.returncode and "unshare" in told.stderr:
        pytest.skip("this user may not make namespaces")
    text, folder, *root, last = told.stdout.splitlines()
    assert (text, folder, last) == ("here", str(seen), "two words"), told.stderr
    assert {"proc", "dev", "tmp"} <= set(root)
    assert "etc" not in root


def _of_this_machine(folder: Path) -> Root:
    """Return a root whose programs are this machine's, so that it needs no emulator."""
    for path in ("/bin/sh", "/bin/cat", "/bin/ls"):
        told = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        libraries = [word for word in told.split() if word.startswith("/")]
        for file in (path, *libraries):
            copy = folder / "root" / file.removeprefix("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    return Root(folder, ARCHITECTURES[ARM.name])
