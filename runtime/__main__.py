"""The program inside a solofile: the one place that reports errors."""

import gc
import os
import sys
from typing import NoReturn

from runtime.deferred_module import defer, type_variable

# urllib imports it, to look at addresses that few starts have.
defer("ipaddress")
# What is imported before the model begins to load takes no more of it than Python itself has.
defer(
    "typing_extensions",
    {"TypeVar": type_variable},
    NotRequired="typing",
    Required="typing",
    TypeAlias="typing",
    get_type_hints="typing",
)

from runtime.engine.start_library import begin_opening  # noqa: E402 - it imports them
from runtime.errors import AppError  # noqa: E402

# They need no engine.
_READING_COMMANDS = (
    "info", "licenses", "verify", "extract", "install-desktop", "uninstall-desktop", "service",
    "help", "--help", "-h", "--version",
)  # fmt: skip

# While the main thread imports, the one that loads the model waits so long for the interpreter
# after each call of llama.cpp, instead of 5 ms; `end_start` goes back to those.
_SWITCH_INTERVAL_S = 0.0001

_REPORT = "Start it in a terminal to see more, and report what it says."


def main() -> NoReturn:
    """Run the command line this process was started with, and exit."""
    # A start makes no garbage; `end_start` turns this on again.
    gc.disable()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    _restore_library_path()
    arguments = without_unpack_dir(sys.argv[1:])
    if not arguments or arguments[0] not in _READING_COMMANDS:
        begin_opening()
        # Imported while the libraries are opened.
        from runtime.engine.llama import begin_loading

        begin_loading()
    code = _exit_code(arguments)
    sys.stdout.flush()
    # The engine's thread may be inside llama.cpp, whose destructors must not run under it.
    os._exit(code)


def without_unpack_dir(arguments: list[str]) -> list[str]:
    """Return a command line without `--unpack-dir FOLDER`: the launcher has read that."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own = iter(arguments[:end])
    kept = []
    for argument in own:
        if argument == "--unpack-dir":
            next(own, None)
        elif not argument.startswith("--unpack-dir="):
            kept.append(argument)
    return kept + arguments[end:]


def _exit_code(arguments: list[str]) -> int:
    # Imported while the binding is.
    from runtime.cli.command import let_go_of_stdout, say
    from runtime.cli.commands import run
    from runtime.desktop.attendance import was_double_clicked

    try:
        return run(arguments)
    except AppError as error:
        say(f"Error: {error}")
        if was_double_clicked():
            _show(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        let_go_of_stdout()
        return 0
    except Exception as error:
        if was_double_clicked():
            _show(AppError(f"Its program failed: {error!r}.", hint=_REPORT))
        raise


def _show(error: AppError) -> None:
    """Open a page that tells of an error, from outside the sandbox where one has closed."""
    from runtime.desktop.failure_page import show_failure
    from runtime.desktop.outside import outside

    if outside.has_begun:
        outside.do(lambda: show_failure(error))
        outside.end()
    else:
        show_failure(error)


def _restore_library_path() -> None:
    """Give the programs we start, a browser above all, the library path we were started with."""
    original = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if original is not None:
        os.environ["LD_LIBRARY_PATH"] = original
    elif hasattr(sys, "_MEIPASS"):
        os.environ.pop("LD_LIBRARY_PATH", None)


if __name__ == "__main__":
    main()
