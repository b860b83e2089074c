"""The builder's entry: the one place that turns failures into sentences and exit codes."""

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

import click

from builder import console
from builder.certificates import share_certificates
from builder.cli.root import root
from runtime.errors import AppError
from runtime.user_folders import user_cache_dir

INTERRUPTED, TERMINATED = 130, 143
UNEXPECTED = 70


def main() -> None:
    """Run the command line this process was started with, and exit."""
    signal.signal(signal.SIGTERM, _terminate)
    share_certificates()
    sys.exit(run(sys.argv[1:], program=_program_name()))


def run(arguments: list[str], *, program: str = "solofile") -> int:
    """Run a command line and return its exit code; every failure is told as one sentence.

    Args:
        arguments: The words behind the program's name.
        program: What its help calls it.
    """
    try:
        code = root.main(arguments, prog_name=program, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except AppError as error:
        console.error(error.message, error.hint)
        return error.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else program
        console.error(error.format_message(), f"See {path} --help.")
        return error.exit_code
    except click.ClickException as error:
        console.error(error.format_message())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.error("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        return _hush()
    except Exception as error:
        return _report_unexpected(error)


def _terminate(signal_number: int, frame: FrameType | None) -> None:
    """End the way Ctrl-C does, so that nothing half-written is left behind."""
    raise SystemExit(TERMINATED)


def _program_name() -> str:
    name = Path(sys.argv[0]).name
    return "solofile" if name == "__main__.py" else name


def _hush() -> int:
    """Let what is still to be printed go nowhere: whoever read it has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _report_unexpected(error: Exception) -> int:
    what = f"{type(error).__name__}: {error}"
    try:
        log = user_cache_dir() / "logs" / time.strftime("error-%Y%m%d-%H%M%S.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        console.error(f"Something unexpected happened: {what}", f"The details are in {log}.")
    except OSError:
        console.error(f"Something unexpected happened: {what}")
    return UNEXPECTED


if __name__ == "__main__":
    main()
