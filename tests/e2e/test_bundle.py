"""A real solofile, carried in parts and put together by sh and coreutils alone."""

import subprocess
from pathlib import Path

import pytest

from builder.__main__ import run
from tests.builder.bundle.shell import link_tools, run_script
from tests.solofile import run_solofile


def test_a_bundle_in_parts_answers_again(
    solofile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The joined file is the same, byte by byte, and answers."""
    bundle = tmp_path / "stick"
    assert run(["bundle", str(solofile), "-o", str(bundle), "--volume-size", "32MiB"]) == 0
    assert not (bundle / solofile.name).exists()
    largest = max(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    assert largest == 32 << 20
    assert "==== runtime: " in next((bundle / "licences").iterdir()).read_text()
    tools = link_tools(tmp_path / "tools")
    done = run_script(bundle, tools, "verify.sh")
    assert done.returncode == 0, done.stdout
    done = run_script(bundle, tools, "install.sh", tmp_path / "to")
    assert done.returncode == 0, done.stderr
    joined = tmp_path / "to" / solofile.name
    assert subprocess.run(["cmp", solofile, joined], check=False).returncode == 0
    done = run_solofile(joined, "run", "--temp", "0", "-n", "8", "Name the capital of France.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
