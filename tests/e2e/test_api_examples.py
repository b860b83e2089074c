"""The examples of docs/api.md, run as they stand there against a real solofile."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.solofile import ServedSolofile

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080"
CURLS = re.findall(r"^```sh\n(curl .*?)^```", TEXT, re.MULTILINE | re.DOTALL)
# The demo's model has no token for the middle of a text, and the server says that.
NOT_FOR_THIS_MODEL = [example for example in CURLS if "/infill" in example]
PROGRAMS = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def _name(example: str) -> str:
    match = re.search(rf"{ADDRESS}(/[\w/-]*)", example)
    return match[1] if match else example.splitlines()[0]


def _run(command: list[str]) -> str:
    completed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


@pytest.mark.skipif(
    not shutil.which("curl") and "CI" not in os.environ, reason="curl is not installed"
)
@pytest.mark.parametrize("example", CURLS, ids=map(_name, CURLS))
def test_curl(served: ServedSolofile, example: str) -> None:
    """Each command is answered, and not with an error."""
    answer = _run(
        ["bash", "-c", example.replace(ADDRESS, served.url).replace("curl ", "curl -sS ")]
    )
    assert answer
    if example in NOT_FOR_THIS_MODEL:
        assert "not_supported_error" in answer
    else:
        assert not re.search(r'"error": ?[{"]', answer)


@pytest.mark.parametrize("example", PROGRAMS)
def test_python(served: ServedSolofile, example: str) -> None:
    """Each program prints an answer."""
    assert _run([sys.executable, "-c", example.replace(ADDRESS, served.url)]).strip()
