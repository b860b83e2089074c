#!/usr/bin/env python3
"""The one entry point: makes the project's environment on first use and runs the builder in it.

Needs only a Python of 3.11 or newer; older ones can still parse this file, to say so.
"""

import sys

NEEDED_PYTHON = (3, 11)
if sys.version_info[:2] < NEEDED_PYTHON:
    sys.exit(
        "Error: solofile needs Python {}.{} or newer, and {} is Python {}.{}.".format(
            *NEEDED_PYTHON, sys.executable, *sys.version_info[:2]
        )
    )

import hashlib  # noqa: E402 - nothing may come before the check above
import importlib.util  # noqa: E402
import os  # noqa: E402
import subprocess  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import NoReturn  # noqa: E402

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYPROJECT = ROOT / "pyproject.toml"
CONSTRAINTS = ROOT / "constraints.txt"
# The commands that need more than what `pip install .` brings.
TEST_COMMANDS = {"test", "bench"}
OFFLINE_FLAG = "--offline"
OFFLINE_VARIABLE = "SOLOFILE_OFFLINE"


def main() -> None:
    """Run the builder inside the project's environment, which is made or repaired first."""
    from builder.certificates import share_certificates

    share_certificates()
    go_offline(sys.argv[1:])
    if not is_inside():
        if not is_of_this_python():
            create_environment()
        run_inside()
    groups = ["base", "test"] if wants_test_group(sys.argv[1:]) else ["base"]
    for group in groups:
        if not is_ready(group):
            install(group)
    from builder.__main__ import main as run_builder

    run_builder()


def is_inside() -> bool:
    """Say whether this interpreter is the environment's own."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def go_offline(arguments: "list[str]") -> None:
    """Put the vendored folder behind `--offline` into the variable that everything else reads."""
    for place, word in enumerate(arguments):
        if word == OFFLINE_FLAG and place + 1 < len(arguments):
            os.environ[OFFLINE_VARIABLE] = str(Path(arguments[place + 1]).absolute())
        elif word.startswith(f"{OFFLINE_FLAG}="):
            os.environ[OFFLINE_VARIABLE] = str(Path(word.partition("=")[2]).absolute())


def is_of_this_python() -> bool:
    """Say whether there is an environment, and none that another version of Python made."""
    try:
        facts = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    lines = [line.partition("=") for line in facts.splitlines()]
    told = {name.strip(): value.strip() for name, _, value in lines}
    # venv and uv call it by different names.
    made_by = (told.get("version") or told.get("version_info", "")).split(".")[:2]
    own = [str(number) for number in sys.version_info[:2]]
    if environment_python().exists() and made_by != own:
        versions = ".".join(made_by), ".".join(own)
        say("{} was made by Python {}, and this is Python {}.".format(VENV, *versions))
        return False
    return environment_python().exists()


def environment_python() -> Path:
    """Return where the environment's interpreter lies."""
    return VENV / "Scripts" / "python.exe" if os.name == "nt" else VENV / "bin" / "python"


def create_environment() -> None:
    """Make an empty environment; what belongs in it is installed from inside."""
    vendored_options()
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        fail(
            f"This Python ({sys.executable}) cannot make environments: its venv or ensurepip "
            "module is missing.",
            "Install it (on Debian and Ubuntu: sudo apt install python3-venv), and run this again.",
        )
    import venv

    try:
        venv.EnvBuilder(clear=True, symlinks=os.name != "nt").create(VENV)
    except OSError as error:
        fail(
            f"Could not make the environment in {VENV}: {error}.",
            "Copy the project to a disk that you may write to, and run it there.",
        )


def run_inside() -> None:
    """Become the environment's interpreter, running this same command."""
    python = str(environment_python())
    command = [python, str(ROOT / "build.py"), *sys.argv[1:]]
    if os.name != "nt":
        os.execv(python, command)
    try:
        sys.exit(subprocess.call(command))
    except KeyboardInterrupt:
        sys.exit(130)


def wants_test_group(arguments: "list[str]") -> bool:
    """Say whether the command in `arguments` needs the tools of the test group."""
    words = iter(arguments)
    for word in words:
        if word == OFFLINE_FLAG:
            next(words, "")
        elif not word.startswith("-"):
            return word in TEST_COMMANDS
    return False


def requirements(group: str) -> "list[str]":
    """Return the pinned requirements of `base` or `test`."""
    import tomllib

    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"]
    if group == "test":
        wanted = wanted + project["dependency-groups"]["test"]
    return list(wanted)


def stamp(group: str) -> Path:
    """Return the file that says the group is installed."""
    return VENV / f"solofile-{group}.stamp"


def digest(group: str) -> str:
    """Return what identifies the group's requirements, their pins and this interpreter."""
    facts = [*requirements(group), CONSTRAINTS.read_text(encoding="utf-8"), sys.version]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def is_ready(group: str) -> bool:
    """Say whether exactly this group was installed completely."""
    try:
        return stamp(group).read_text(encoding="utf-8") == digest(group)
    except OSError:
        return False


def install(group: str) -> None:
    """Install a group's requirements; its stamp is written once all of them are there."""
    with one_at_a_time():
        if is_ready(group):
            return
        stamp(group).unlink(missing_ok=True)
        if importlib.util.find_spec("pip") is None:
            install_pip()
        options = vendored_options()
        if options and group == "test":
            fail(
                f"{os.environ[OFFLINE_VARIABLE]} holds nothing for tests and benchmarks.",
                "Run those where there is a network.",
            )
        say(f"Installing what solofile needs into {VENV} (once) ...")
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        run_pip([*pip, *options, "--constraint", str(CONSTRAINTS), *requirements(group)])
        stamp(group).write_text(digest(group), encoding="utf-8")
        importlib.invalidate_caches()


def vendored_options() -> "list[str]":
    """Return what lets pip take the wheels of the vendored folder, if the builder is offline.

    They are checked first, and that they are for this Python.
    """
    from builder.vendor.folder import BUILDER, offline_folder
    from runtime.errors import AppError

    try:
        offline = offline_folder()
        return offline.pip_options(BUILDER) if offline else []
    except AppError as error:
        fail(error.message, error.hint)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold back a second process that would install into the same environment."""
    with (VENV / "solofile.lock").open("w") as lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_pip() -> None:
    """Put pip into the environment, which other tools may have made without it."""
    if importlib.util.find_spec("ensurepip") is None:
        fail(
            f"The environment {VENV} has no pip, and this Python has no ensurepip module.",
            "Install it (on Debian and Ubuntu: sudo apt install python3-venv), and run this again.",
        )
    command = [sys.executable, "-m", "ensurepip", "--default-pip"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        fail(f"Could not install pip into {VENV}: {done.stdout.strip()[-500:]}", "")


def run_pip(command: "list[str]") -> None:
    """Run pip, showing on a terminal which package it is at."""
    from builder.vendor.folder import pip_environment

    offline = os.environ.get(OFFLINE_VARIABLE)
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        errors="replace", env=pip_environment() if offline else None,
    ) as process:  # fmt: skip
        assert process.stdout is not None, "opened with a pipe"
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("Collecting") and sys.stderr.isatty():
                sys.stderr.write(f"\r\033[K  {line.strip()[:70]}")
                sys.stderr.flush()
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if process.returncode:
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-3:]
        fail(
            "Could not install what solofile needs: {}".format(" ".join(errors)),
            f"Make {offline} anew: `vendor` of this version of solofile fills it."
            if offline
            else "Is this machine's package index reachable? Running this again goes on from here.",
        )


def say(text: str) -> None:
    """Print what is going on."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def fail(message: str, hint: str) -> NoReturn:
    """End with one sentence and what to do about it."""
    sys.exit("\n".join(filter(None, ["Error: " + message, hint])))


if __name__ == "__main__":
    main()
