"""The commands of a solofile: picks one by its name."""

import importlib

from runtime import __version__
from runtime.cli.command import Parser, answer, program_name, say
from runtime.errors import UsageError
from runtime.settings.flags import add_options, named_flags

COMMANDS = {
    "serve": "serve the chat page and the API (the default)",
    "chat": "talk with the model in this terminal",
    "run": "answer one prompt and end",
    "embed": "print the embedding of a text",
    "info": "show what is inside",
    "licenses": "print the licences inside",
    "verify": "check every byte",
    "extract": "write the weights out",
    "install-desktop": "put it into the menus of this desktop",
    "uninstall-desktop": "take it out again",
    "service": "serve from each login on",
}
EXAMPLES = """\
  MODEL                                        open the chat page
  MODEL run "What is the capital of France?"   answer once
  MODEL chat                                   talk in the terminal
  MODEL --port 9000 -c 4096                    serve with other settings"""


def run(arguments: list[str]) -> int:
    """Run a command line and return the exit code.

    Raises:
        AppError: It cannot be done.
    """
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
    if name == "serve":
        arguments = _without_foreign(arguments)
    command = importlib.import_module(f"runtime.cli.{name.replace('-', '_')}")
    parser = Parser(name, command.SUMMARY, command.EXAMPLES)
    command.add_arguments(parser)
    add_options(parser, command.GROUPS, arguments)
    code: int = command.main(parser.parse_args(arguments))
    return code


def _without_foreign(arguments: list[str]) -> list[str]:
    """Return a server's arguments without those of llama-server that mean nothing here."""
    named = named_flags(arguments)
    if not named:
        return arguments
    from runtime.settings.options import OPTIONS, flags_of

    if named <= flags_of(OPTIONS):
        return arguments
    from runtime.cli.llama_server_flags import own_arguments

    taken = own_arguments(arguments)
    if taken.ignored:
        say(f"Flags of llama-server that change nothing here: {', '.join(taken.ignored)}.")
    return taken.arguments


def _overview() -> str:
    program = program_name()
    commands = "\n".join(f"  {name:17} {summary}" for name, summary in COMMANDS.items())
    return (
        f"usage: {program} [COMMAND] [OPTIONS]\n\n"
        "A language model in one file: chat page, API and terminal.\n\n"
        f"commands:\n{commands}\n\n"
        f"{program} COMMAND --help lists a command's options.\n"
        "With every command, --unpack-dir DIR unpacks the runtime there, not into the cache.\n\n"
        f"examples:\n{EXAMPLES.replace('MODEL', program)}"
    )
