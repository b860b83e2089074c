"""The kit of this machine as a wheel: a builder that has it needs no compiler."""

import json
import os
import subprocess
import sys
from pathlib import Path

from builder.kit.at_hand import ensure_kit
from builder.kit.wheel import write_wheel
from builder.pypi import run_pip
from builder.report import Report
from builder.targets import host_target
from runtime.container import Container
from runtime.manifest import read_manifest

ROOT = Path(__file__).parents[2]


def test_built_without_a_compiler(made: Report, gguf: Path, tmp_path: Path) -> None:
    """With an empty PATH and an empty cache, the same solofile comes out, and it answers."""
    wheel = write_wheel(ensure_kit(host_target()), tmp_path)
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    run_pip(["install", "--no-index", "--target", str(site), str(wheel)], doing="install a kit")
    facts = {
        "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
        "PATH": str(empty),
        "SOLOFILE_CACHE": str(tmp_path / "cache"),
    }

    done = subprocess.run(
        [sys.executable, "-m", "builder", "build", str(gguf), "-o", "chat", "--json"],
        cwd=tmp_path, env=os.environ | facts, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["answer"]
    with Container.open(tmp_path / "chat") as new, Container.open(Path(made.path)) as old:
        assert read_manifest(new).kit == read_manifest(old).kit
        assert new.entry("runtime.pkg").crc32 == old.entry("runtime.pkg").crc32
    tools = {path.name for path in (tmp_path / "cache").iterdir()}
    assert not tools & {"tools", "llamacpp", "stub", "kits"}
