"""The entry point: old Pythons, missing modules, and an environment made, used and repaired."""

import ast
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import build
from tests.builder.tiny_wheel import use_only, write_wheel

SCRIPT = Path(build.__file__)
PYPROJECT = """\
[project]
dependencies = ["tiny-model==1.0"]
[dependency-groups]
test = ["tiny-model==1.0"]
"""
BUILDER = """\
import sys

import tiny_model


def main():
    print("built by", sys.prefix, *sys.argv[1:])
"""


@dataclass(frozen=True, slots=True)
class Clone:
    """A copy of build.py with a builder of one line and a requirement of one wheel."""

    folder: Path

    @property
    def venv(self) -> Path:
        """Where its environment lies."""
        return self.folder / ".venv"

    def run(self, *arguments: str, python: str = sys.executable) -> tuple[str, str]:
        """Run its build.py and return what it printed on stdout and stderr."""
        command = [python, str(self.folder / "build.py"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip(), done.stderr.strip()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A clone whose environment is not there yet."""
    folder = tmp_path / "clone"
    (folder / "builder").mkdir(parents=True)
    shutil.copy(SCRIPT, folder)
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "constraints.txt").write_text("tiny-model==1.0\n", encoding="utf-8")
    (folder / "builder" / "__main__.py").write_text(BUILDER, encoding="utf-8")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_wheel(wheels, {"tiny_model/__init__.py": b""})
    use_only(wheels, monkeypatch)
    return Clone(folder)


def test_an_environment_is_made_used_and_repaired(clone: Clone) -> None:
    """The first run installs, the next ones do not; what is broken is mended by the next run."""
    expected = f"built by {clone.venv} --x y"
    assert clone.run("--x", "y") == (
        expected,
        f"Installing what solofile needs into {clone.venv} (once) ...",
    )
    assert clone.run("--x", "y") == (expected, ""), "it is ready"

    shutil.rmtree(next(clone.venv.glob("lib/python*/site-packages/tiny_model")))
    shutil.rmtree(next(clone.venv.glob("lib/python*/site-packages/tiny_model-*")))
    (clone.venv / "solofile-base.stamp").unlink()
    assert clone.run("--x", "y")[0] == expected, "an interrupted install goes on"

    for installed in clone.venv.glob("lib/python*/site-packages/pip*"):
        shutil.rmtree(installed)
    (clone.folder / "constraints.txt").write_text("tiny-model==1.0\n#\n", encoding="utf-8")
    assert "Installing" in clone.run("--x", "y")[1], "other pins install anew, with or without pip"

    (clone.venv / "bin" / "python").unlink()
    (clone.venv / "bin" / "python").symlink_to("/nowhere/python")
    assert clone.run("--x", "y")[0] == expected, "a Python that has gone is replaced"
    assert clone.run("test")[0] == f"built by {clone.venv} test"
    assert (clone.venv / "solofile-test.stamp").is_file()


def test_what_cannot_be_installed_is_told(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a reachable index there is one sentence, and nothing counts as installed."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(clone.folder))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        clone.run()
    error = caught.value.stderr
    assert "Error: Could not install what solofile needs: ERROR: " in error
    assert "Is this machine's package index reachable?" in error
    assert "Traceback" not in error
    assert not (clone.venv / "solofile-base.stamp").exists()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told(clone: Clone, module: str) -> None:
    """Where the distribution split these modules off, the sentence says what to install."""
    script = (
        f"import runpy, sys; sys.modules[{module!r}] = None; "
        f"runpy.run_path({str(clone.folder / 'build.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot make environments: its venv or ensurepip module is missing." in done.stderr
    assert "sudo apt install python3-venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_old_pythons_can_parse_it() -> None:
    """Nothing in the file is newer than Python 3.6."""
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("minor", range(6, 11))
def test_old_pythons_are_told(minor: int) -> None:
    """A Python that is too old gets one sentence."""
    found = [
        shutil.which(f"python3.{minor}"),
        *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"),
    ]
    pythons = [python for python in found if python and is_python(str(python), minor)]
    if not pythons:
        pytest.skip(f"Python 3.{minor} is not installed")
    done = subprocess.run([pythons[-1], SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: solofile needs Python 3.11 or newer, and ")
    assert done.stderr.endswith(f" is Python 3.{minor}.\n")


def is_python(path: str, minor: int) -> bool:
    """Say whether a program starts and is that Python, not a shim in front of none."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return done.returncode == 0 and f"3.{minor}." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["test"], True),
        (["--help", "test", "-x"], True),
        (["bench"], True),
        (["build", "test"], False),
        (["--version"], False),
        ([], False),
    ],
)
def test_who_needs_the_test_group(arguments: list[str], expected: bool) -> None:
    """Only commands that test install what only tests need."""
    assert build.wants_test_group(arguments) == expected


def test_every_requirement_is_pinned() -> None:
    """The constraints pin every requirement, of both groups, to the same version."""
    lines = build.CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pins = {line.lower().replace("_", "-") for line in lines if not line.startswith("#")}
    assert {name.lower() for name in build.requirements("test")} <= pins
    assert all(line.count("==") == 1 for line in pins)


def test_a_ready_environment_starts_fast() -> None:
    """`build.py --version` takes well under half a second of work, from any Python."""
    if not build.is_ready("base"):
        pytest.skip("these tests do not run in the environment build.py makes")
    taken = []
    for _ in range(3):
        before = os.times()
        started = time.monotonic()
        subprocess.run([sys.executable, SCRIPT, "--version"], capture_output=True, check=True)
        after = os.times()
        work = after.children_user + after.children_system
        taken.append(work - before.children_user - before.children_system)
        assert time.monotonic() - started < 5
    assert min(taken) < 0.4
