"""A builder behind an air gap: carried in a folder, it makes what the one with a network makes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builder.files import sha256_of
from builder.report import Report
from builder.vendor.folder import BUILDER, KITS, PROJECT

ROOT = Path(__file__).parents[2]
PARTS = ["--no-convert", "--no-quantize", "--no-compile"]


def vendored(folder: Path) -> list[str]:
    """Fill a folder, and return what it holds."""
    done = subprocess.run(
        [sys.executable, "-m", "builder", "vendor", str(folder), *PARTS, "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return sorted(json.loads(done.stdout)["parts"])


def can_be_alone(command: list[str]) -> bool:
    """Say whether a command that starts programs without a network does."""
    if not shutil.which(command[0]):
        return False
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


def test_the_same_bytes(made: Report, gguf: Path, tmp_path: Path) -> None:
    """In an empty network, with an empty home, a fresh copy builds the very same solofile."""
    carried, home = tmp_path / "carried", tmp_path / "home"
    assert vendored(carried) == sorted([BUILDER, KITS, PROJECT])
    shutil.copytree(carried / PROJECT, tmp_path / "copy")
    home.mkdir()
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if not can_be_alone(alone) and not os.environ.get("CI"):
        pytest.skip("this user cannot have an empty network")

    build = ["build", str(gguf), "--json"]
    done = subprocess.run(
        [*alone, sys.executable, "build.py", "--offline", str(carried), *build, "-o", "chat"],
        cwd=tmp_path / "copy", env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answer"]

    online = tmp_path / "online"
    subprocess.run(
        [sys.executable, "-m", "builder", *build, "-o", str(online), "--no-smoke-test"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert sha256_of(tmp_path / "copy" / "chat") == sha256_of(online)
