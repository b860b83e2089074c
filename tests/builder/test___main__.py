"""The one place where failures become sentences and exit codes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from builder.__main__ import run
from builder.cli import root
from runtime import __version__
from runtime.errors import DamagedFileError

COMMAND = [sys.executable, "-m", "builder"]


def failing(error: BaseException) -> click.Command:
    """Return a command that raises `error`."""

    @click.command("build")
    def build() -> None:
        raise error

    return build


def use(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make the command `build` raise `error`."""
    command = failing(error)
    monkeypatch.setattr(root.LazyGroup, "get_command", lambda self, ctx, name: command)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version stands alone on stdout."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"solofile {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--nonsense"], "Error: No such option '--nonsense'."),
        (["bulid"], "Error: No such command 'bulid'."),
        (["build"], "Error: Missing argument 'SOURCE'."),
        (["build", "x", "--nonsense"], "Error: No such option '--nonsense'."),
        (["build", "x", "--toolchain", "gcc"], "Error: Invalid value for '--toolchain': 'gcc'"),
        (["completion", "tcsh"], "Error: Invalid value for '{bash|fish|zsh}': 'tcsh'"),
    ],
)
def test_a_wrong_command_line_is_told(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """What cannot be understood is one sentence, where help is, and exit code 2."""
    assert run(arguments, program="build.py") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    first, last = printed.err.strip().splitlines()
    assert first.startswith(sentence)
    assert last.startswith("See build.py")
    assert last.endswith("--help.")


def test_an_error_is_a_sentence_a_hint_and_a_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors made for users are printed as they are, with their exit code."""
    use(monkeypatch, DamagedFileError("It is cut short.", hint="Copy it again."))
    assert run(["build"]) == DamagedFileError.exit_code
    assert capsys.readouterr().err == "Error: It is cut short.\nCopy it again.\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Ctrl-C ends with the code shells expect."""
    use(monkeypatch, error)
    assert run(["build"]) == 130
    assert capsys.readouterr().err.strip() == "Error: Interrupted."


def test_the_unexpected_goes_to_a_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    """A mistake of ours is a sentence, with the traceback in a file."""
    use(monkeypatch, ZeroDivisionError("our mistake"))
    assert run(["build"]) == 70
    printed = capsys.readouterr().err
    assert "Traceback" not in printed
    (log,) = (own_cache / "logs").iterdir()
    assert printed.splitlines() == [
        "Error: Something unexpected happened: ZeroDivisionError: our mistake",
        f"The details are in {log}.",
    ]
    assert "Traceback" in log.read_text(encoding="utf-8")


def test_nothing_slow_is_imported_at_the_start() -> None:
    """Showing the version or the help loads no hub client, numpy or freezer."""
    script = (
        "import sys\n"
        "from builder.__main__ import run\n"
        "run(['--version']), run(['--help']), run(['build', '--help']), run(['demo', '--help'])\n"
        "slow = {'huggingface_hub', 'httpx2', 'numpy', 'PyInstaller', 'gguf', 'jinja2'}\n"
        "sys.exit(', '.join(slow & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_reader_that_leaves_is_no_error() -> None:
    """Output nobody reads any more ends the command quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [*COMMAND, "--help"], stdout=nobody, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr == ""
    assert done.returncode in (0, 1)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_signals_end_it(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Both ways of asking it to stop run the clean-up and end with the shells' codes."""
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from builder import __main__, make\n"
        "from builder.files import atomic_file\n"
        "def hang(order):\n"
        f"    with atomic_file(Path({str(tmp_path / 'half')!r})) as file:\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
        "make.make_solofile = hang\n"
        "sys.argv = ['solofile', 'build', 'acme/tiny']\n"
        "__main__.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        started = time.monotonic()
        process.send_signal(number)
        _, error = process.communicate(timeout=10)
    assert process.returncode == code
    assert time.monotonic() - started < 2
    assert b"Traceback" not in error
    assert list(tmp_path.iterdir()) == []
