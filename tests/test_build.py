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
from builder.vendor.folder import BUILDER as BUILDER_PART
from builder.vendor.folder import MANIFEST_NAME, VARIABLE, own_python
from tests.builder.tiny_wheel import use_only, write_wheel
from tests.builder.vendored import write_vendored

SCRIPT = Path(build.__file__)
PYPROJECT = """\
[project]
dependencies = ["tiny-model==1.0"]
[dependency-groups]
test = ["tiny-model==1.0"]
"""
# What build.py reads before there is an environment.
BEFORE_THE_ENVIRONMENT = [
    "builder/__init__.py", "builder/certificates.py", "builder/vendor/__init__.py",
    "builder/vendor/folder.py", "runtime/__init__.py", "runtime/errors.py",
]  # fmt: skip
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
    for name in ("build.py", *BEFORE_THE_ENVIRONMENT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SCRIPT.parent / name, folder / name)
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


def test_another_version_of_python_makes_it_anew(clone: Clone) -> None:
    """An environment that another Python made, by whatever tool, is told of and replaced."""
    (clone.venv / "bin").mkdir(parents=True)
    (clone.venv / "bin" / "python").symlink_to(sys.executable)
    facts = clone.venv / "pyvenv.cfg"
    facts.write_text("home = /nowhere\nversion_info = 3.9.1\n", encoding="utf-8")
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    told = f"{clone.venv} was made by Python 3.9, and this is Python {own}."
    assert clone.run()[1].splitlines()[0] == told
    assert f"version = {own}." in facts.read_text(encoding="utf-8")
    assert clone.run()[1] == "", "it stays"


@pytest.fixture
def vendored(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vendored folder, on a stick whose name has a blank; pip finds nothing elsewhere."""
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    folder = write_vendored(tmp_path / "a stick", {BUILDER_PART: {wheel.name: wheel.read_bytes()}})
    wheel.unlink()
    return folder


def test_the_first_run_offline(clone: Clone, vendored: Path) -> None:
    """The environment is made of the vendored wheels alone."""
    line = ["--offline", str(vendored), "build", "x"]
    assert clone.run(*line)[0] == f"built by {clone.venv} {' '.join(line)}"
    assert "holds nothing for tests" in failed(clone, "--offline", str(vendored), "test")


@pytest.mark.parametrize(
    "arguments",
    [["--offline", "v", "build"], ["build", "x", "--offline", "v"], ["build", "--offline=v"]],
)
def test_where_the_flag_stands(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a command or behind it, the folder is told to all that follows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "/another")
    build.go_offline(arguments)
    assert os.environ[VARIABLE] == str(tmp_path / "v")


def failed(clone: Clone, *arguments: str) -> str:
    """Return what a run that must fail says."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        clone.run(*arguments)
    error = str(caught.value.stderr)
    assert "Traceback" not in error
    return error


def test_a_vendored_folder_for_another_python(clone: Clone, vendored: Path) -> None:
    """What it is for is said before anything is made."""
    manifest = vendored / MANIFEST_NAME
    text = manifest.read_text(encoding="utf-8").replace(f'"{own_python()}"', '"3.99"')
    manifest.write_text(text, encoding="utf-8")
    error = failed(clone, "--offline", str(vendored), "build")
    assert f"Error: What {vendored} holds is for Python 3.99 on " in error
    assert "Use Python 3.99 there" in error
    assert not clone.venv.exists()


def test_a_vendored_folder_that_lacks_something(clone: Clone, vendored: Path) -> None:
    """A damaged wheel is named, one of another version is missed, and no folder is no folder."""
    (wheel,) = vendored.glob("*/*.whl")
    sound = wheel.read_bytes()
    wheel.write_bytes(sound[:-1] + b"x")
    assert f"{wheel} is damaged." in failed(clone, "--offline", str(vendored), "build")
    wheel.write_bytes(sound)
    (clone.folder / "pyproject.toml").write_text(
        PYPROJECT.replace("==1.0", "==2.0"), encoding="utf-8"
    )
    error = failed(clone, "--offline", str(vendored), "build")
    assert "Could not install what solofile needs: ERROR: " in error
    assert f"Make {vendored} anew" in error
    nowhere = clone.folder / "nowhere"
    assert "nowhere is no vendored folder" in failed(clone, "--offline", str(nowhere), "build")


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
        (["--offline", "test", "build"], False),
        (["--offline=carried", "test"], True),
        (["--offline", "carried", "bench"], True),
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
