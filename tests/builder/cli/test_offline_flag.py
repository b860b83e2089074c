"""`--offline`, before a command and behind it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.vendor.folder import VARIABLE
from tests.builder.vendored import write_vendored


@pytest.mark.parametrize("is_before", [True, False])
def test_nothing_is_asked_of_the_network(tmp_path: Path, is_before: bool) -> None:
    """A model of the hub, and one in a wheel, are told as missing without anybody being asked."""
    folder = write_vendored(tmp_path / "v", {})
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "SOLOFILE_CACHE": str(tmp_path)}
    for source in ("hf:acme/Tiny", "pypi:tiny-model==1.0"):
        words = ["build", source]
        line = ["--offline", str(folder), *words] if is_before else [*words, "--offline", "v"]
        done = subprocess.run(
            [sys.executable, "-m", "builder", *line],
            env=environment | {"PYTHONPATH": str(Path(__file__).parents[3])},
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 6
        told, hint = done.stderr.strip().splitlines()[-2:]
        assert told.startswith("Error: ")
        assert "the builder is offline" in told.lower()
        assert f"`vendor DIR --source {source}`" in hint


def test_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was not vendored is told, however it is named."""
    assert run(["--offline", str(tmp_path), "cache", "list"]) == 2
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert run(["cache", "list"]) == 2
    told = f"Error: {tmp_path} is no vendored folder: it holds no vendor.json."
    assert capsys.readouterr().err.count(told) == 2
