"""Making an environment with the real pip, from a folder of wheels of the test's own."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from builder.convert.environment import environment_python
from builder.errors import DiskError, SourceError
from tests.builder.tiny_wheel import use_only, write_wheel

REQUIREMENTS = "# What is needed.\ntiny-model==1.0\n"


@pytest.fixture
def index(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder pip takes wheels from, and nothing else."""
    folder = tmp_path / "index"
    folder.mkdir()
    use_only(folder, monkeypatch)
    return folder


def run(python: Path, code: str) -> str:
    """Run code in an environment and return what it prints."""
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout


def test_made_once(index: Path, own_cache: Path) -> None:
    """An environment has what was asked for and nothing of this one, and is made once."""
    wheel = write_wheel(index, {"tiny_model/__init__.py": b"x = 7\n"})
    python = environment_python(REQUIREMENTS)
    assert run(python, "import tiny_model, sys; print(tiny_model.x, sys.version)") == (
        f"7 {sys.version}\n"
    )
    assert run(python, "from importlib.util import find_spec; print(find_spec('click'))") == (
        "None\n"
    )
    wheel.unlink()
    assert environment_python(REQUIREMENTS) == python
    assert python.is_relative_to(own_cache)


def test_other_requirements_are_another_environment(index: Path) -> None:
    """Changed pins never meet an environment made for older ones."""
    write_wheel(index, {"tiny_model/__init__.py": b"x = 1\n"})
    write_wheel(index, {"tiny_model/__init__.py": b"x = 2\n"}, version="2.0")
    old, new = (environment_python(f"tiny-model=={version}.0\n") for version in (1, 2))
    code = "import tiny_model; print(tiny_model.x)"
    assert (run(old, code), run(new, code)) == ("1\n", "2\n")


def test_a_failure_leaves_nothing(index: Path, own_cache: Path) -> None:
    """What is not there is told with pip's reason, and can be tried again."""
    with pytest.raises(SourceError, match=r"converter's environment: No matching .* tiny-model"):
        environment_python(REQUIREMENTS)
    assert [path.suffix for path in (own_cache / "converter").iterdir()] == []
    write_wheel(index, {"tiny_model/__init__.py": b""})
    assert environment_python(REQUIREMENTS).is_file()


def test_two_at_once(index: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Two builds that need the same environment make it once."""
    write_wheel(index, {"tiny_model/__init__.py": b""})
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(environment_python, [REQUIREMENTS] * 2)
    assert first == second
    assert capfd.readouterr().err.count("done in") == 1


def test_full_disk(index: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is too small is told, and nothing half-made stays on it."""
    monkeypatch.setenv("SOLOFILE_CACHE", str(small_disk))
    write_wheel(index, {"tiny_model/data.bin": bytes(2 << 20)})
    with pytest.raises(DiskError, match=r"converter's environment: the disk is full"):
        environment_python(REQUIREMENTS)
    assert [path.suffix for path in (small_disk / "converter").iterdir()] == []
