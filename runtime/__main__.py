"""The program inside a solofile: picks the command, and is the one place that reports errors."""

import importlib
import os
import sys
from typing import NoReturn

from runtime import __version__
from runtime.cli.command import Parser, answer, program_name, say
from runtime.errors import AppError, UsageError
from runtime.settings import add_options

COMMANDS = {
    "serve": "serve the chat page and the API (the default)",
    "chat": "talk with the model in this terminal",
    "run": "answer one prompt and end",
    "info": "show what is inside",
    "verify": "check every byte",
    "extract": "write the weights out",
}
EXAMPLES = """\
  MODEL                                        open the chat page
  MODEL run "What is the capital of France?"   answer once
  MODEL chat                                   talk in the terminal
  MODEL --port 9000 -c 4096                    serve with other settings"""


def main() -> NoReturn:
    """Run the command line this process was started with, and exit."""
    _restore_library_path()
    code = _exit_code()
    sys.stdout.flush()
    # The engine's thread may be inside llama.cpp, whose destructors must not run under it.
    os._exit(code)


def _exit_code() -> int:
    try:
        return _run(sys.argv[1:])
    except AppError as error:
        say(f"Error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["--version"]:
        answer(f"solofile {__version__}")
        return 0
    if arguments[:1] in (["--help"], ["-h"], ["help"]):
        answer(_overview())
        return 0
    if arguments and arguments[0] in COMMANDS:
        name, *arguments = arguments
    elif arguments and not arguments[0].startswith("-"):
        raise UsageError(
            f"{arguments[0]} is no command.",
            hint=f"The commands are {', '.join(sorted(COMMANDS))}.",
        )
    else:
        name = "serve"
    command = importlib.import_module(f"runtime.cli.{name}")
    parser = Parser(name, command.SUMMARY, command.EXAMPLES)
    command.add_arguments(parser)
    add_options(parser, command.GROUPS)
    code: int = command.main(parser.parse_args(arguments))
    return code


def _overview() -> str:
    program = program_name()
    commands = "\n".join(f"  {name:10} {summary}" for name, summary in COMMANDS.items())
    return (
        f"usage: {program} [COMMAND] [OPTIONS]\n\n"
        "A language model in one file: chat page, API and terminal.\n\n"
        f"commands:\n{commands}\n\n"
        f"{program} COMMAND --help lists a command's options.\n\n"
        f"examples:\n{EXAMPLES.replace('MODEL', program)}"
    )


def _restore_library_path() -> None:
    """Give the programs we start, a browser above all, the library path we were started with."""
    original = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if original is not None:
        os.environ["LD_LIBRARY_PATH"] = original
    elif hasattr(sys, "_MEIPASS"):
        os.environ.pop("LD_LIBRARY_PATH", None)


if __name__ == "__main__":
    main()
