"""The conversation's course: read, do or answer, until there is no more."""

import sys

from runtime.errors import AppError
from runtime.terminal.control_characters import harmless
from runtime.terminal.message_text import message_of
from runtime.terminal.reading import Reader, open_reader
from runtime.terminal.screen import Terminal
from runtime.terminal.session import Answers, Session
from runtime.terminal.slash_commands import (
    NAMES,
    LeaveError,
    is_command,
    run_command,
    takes_path,
)


def converse(answers: Answers) -> int:
    """Hold a conversation, and return the exit code: 1 where a piped message failed."""
    session = Session(answers, Terminal.of_stdout())
    reader = open_reader(NAMES, takes_path)
    is_attended = sys.stdin.isatty()
    code = 0
    while (typed := _read(reader)) is not None:
        if not (text := message_of(typed)):
            continue
        try:
            remark = run_command(session, text) if is_command(text) else session.say(text)
        except LeaveError:
            break
        except AppError as error:
            remark = f"Error: {error}"
            code = code if is_attended else error.exit_code
        if remark:
            sys.stderr.write(f"{harmless(remark)}\n")
    return code


def _read(reader: Reader) -> str | None:
    """Return what was typed, nothing after one Ctrl-C, and None at the end or after a second."""
    is_warned = False
    while True:
        try:
            return reader.read()
        except EOFError:
            return None
        except KeyboardInterrupt:
            if is_warned:
                return None
            is_warned = True
            sys.stderr.write("\nCtrl-C again or /bye ends.\n")
